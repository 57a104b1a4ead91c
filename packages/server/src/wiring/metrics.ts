/** The wiring of metrics: parts are counted from outside, so that with metrics off there is nothing of them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { matchPath } from '../api/match-path.ts';
import type { Sessions } from '../gateway/sessions.ts';
import type { BlobStore } from '../library/ports.ts';
import type { Store } from '../store/open-store.ts';
import type { UnitWatch } from '../store/unit-queue.ts';
import { createMetrics, type GaugeValues, type Metrics } from '../telemetry/metrics.ts';
import type { Engine, World } from './engine.ts';

const LAG_MS = 500;

/** The metrics of a configuration, or null where they are off. */
export const metricsOf = ({ metrics }: World['config']): Metrics | null =>
  metrics === null ? null : createMetrics(new Registry());

export const unitWatch = (metrics: Metrics): UnitWatch => ({
  waiting: (units) => metrics.unitsWaiting.set(units),
  committing: (units) => {
    const start = performance.now();
    return () => {
      metrics.unitsPerCommit.observe(units);
      metrics.commitMilliseconds.observe(performance.now() - start);
    };
  },
});

export const meteredStore = (metrics: Metrics, store: Store): Store => ({
  ...store,
  actions: {
    ...store.actions,
    request: async (action) => {
      const outcome = await store.actions.request(action);
      if (outcome.kind === 'accepted' && outcome.claim !== null) metrics.claims.inc();
      return outcome;
    },
    claimNext: async (terms) => {
      const outcome = await store.actions.claimNext(terms);
      if (outcome.kind === 'claimed') metrics.claims.inc();
      return outcome;
    },
    record: (reported) => {
      for (const { fact } of reported.reports) metrics.reports.inc({ kind: fact.kind });
      return store.actions.record(reported);
    },
  },
});

export const meteredBlobs = (metrics: Metrics, blobs: BlobStore): BlobStore => ({
  ...blobs,
  append: async (key, part) => {
    const uploaded = await blobs.append(key, part);
    metrics.uploadBytes.inc({ what: 'result' }, Math.max(0, uploaded - part.offset));
    return uploaded;
  },
  put: async (body, maxBytes) => {
    const blob = await blobs.put(body, maxBytes);
    metrics.uploadBytes.inc({ what: 'library' }, blob.sizeBytes);
    return blob;
  },
});

export const meteredSessions = (metrics: Metrics, sessions: Sessions): Sessions => ({
  ...sessions,
  offer: (machineId, claim) => {
    const isSent = sessions.offer(machineId, claim);
    if (isSent) metrics.offers.inc();
    return isSent;
  },
});

/** Which part of the server a request is for: an endpoint of the contract, or one of a few doors. */
const endpointOf = ({ method }: Request, pathname: string): string => {
  if (/^\/+api(\/|$)/i.test(pathname)) return matchPath(method, pathname)?.name ?? 'unknown';
  if (pathname === AGENT_PATHS.enrol) return 'enrol';
  if (pathname === AGENT_PATHS.connect) return 'connect';
  if (pathname.startsWith('/agent/')) return 'transfer';
  if (pathname.startsWith('/results/')) return 'result';
  if (pathname.startsWith('/install')) return 'install';
  return /\/oauth2\//i.test(pathname) ? 'token' : 'other';
};

/** A refusal of the API, or one of OAuth: short words out of tables, never anything of a caller's. */
const Code = z.string().regex(/^[A-Za-z_]{1,40}$/);
const Refused = z.object({ error: z.union([Code, z.object({ code: Code }).transform(({ code }) => code)]) });

const codeOf = async (response: Response): Promise<string> => {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return Refused.safeParse(body).data?.error ?? 'none';
};

type Fetch<Server> = (request: Request, server: Server) => Promise<Response | undefined>;

export const meteredFetch =
  <Server>(metrics: Metrics, fetch: Fetch<Server>): Fetch<Server> =>
  async (request, server) => {
    const start = performance.now();
    const endpoint = endpointOf(request, new URL(request.url).pathname);
    const response = await fetch(request, server);
    metrics.seconds.observe({ endpoint }, (performance.now() - start) / 1_000);
    metrics.requests.inc({ endpoint, status: String(response?.status ?? 101) });
    if (response !== undefined && response.status >= 400) metrics.refusals.inc({ code: await codeOf(response) });
    return response;
  };

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0;

const gaugeValues = async (engine: Engine, { folder }: World): Promise<GaugeValues> => {
  const { oldestPendingAt, ...now } = await folder.store.statistics();
  const file = join(folder.path, 'store.db');
  return {
    longarm_sessions_held: now.sessionsHeld,
    longarm_sessions_limit: engine.limits.sessions,
    longarm_devices_connected: engine.sessions.connectedMachines().length,
    longarm_actions_pending: now.pending,
    longarm_actions_running: now.running,
    longarm_oldest_pending_seconds: oldestPendingAt === null ? 0 : Math.max(0, engine.now() - oldestPendingAt) / 1_000,
    longarm_lockdown: now.isLockedDown ? 1 : 0,
    longarm_audit_head: now.auditHead,
    longarm_store_bytes: (await sizeOf(file)) + (await sizeOf(`${file}-wal`)),
    longarm_blob_free_bytes: (await engine.blobs.freeBytes()) ?? Number.NaN,
  };
};

/** Measures how late a timer is; returns how to stop. */
const watchLoop = (metrics: Metrics): (() => void) => {
  let due = performance.now() + LAG_MS;
  const timer = setInterval(() => {
    metrics.loopLag.observe(Math.max(0, performance.now() - due) / 1_000);
    due = performance.now() + LAG_MS;
  }, LAG_MS);
  return () => clearInterval(timer);
};

export type MetricsDoor = { readonly port: number; readonly stop: () => Promise<void> };

/** Serves `GET /metrics` on a port of its own; null where metrics are off. */
export const serveMetrics = (engine: Engine, world: World, metrics: Metrics | null): MetricsDoor | null => {
  const { metrics: address } = world.config;
  if (metrics === null || address === null) return null;
  const stopWatch = watchLoop(metrics);
  const server = Bun.serve({
    hostname: address.host,
    port: address.port,
    development: false,
    fetch: async (request) => {
      if (new URL(request.url).pathname !== '/metrics' || request.method !== 'GET')
        return new Response('There is GET /metrics here, and nothing else.\n', { status: 404 });
      const text = await metrics.expose(await gaugeValues(engine, world));
      return new Response(text, { headers: { 'content-type': metrics.contentType } });
    },
    error: (fault) => {
      world.log.error({ err: fault }, 'metrics could not be read');
      return new Response('The metrics could not be read; the log of the server says why.\n', { status: 500 });
    },
  });
  return {
    port: server.port ?? address.port,
    stop: async () => {
      stopWatch();
      await server.stop(true);
    },
  };
};
