/** All wiring of the server, in the order in which a request meets the parts; each part's own is in `wiring`. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Server } from 'bun';
import { referenceDoor } from './api/reference-door.ts';
import { diskBlobStore } from './blobs/disk.ts';
import type { ServerConfig } from './config.ts';
import { type DataFolder, openDataFolder, serverNames } from './data-folder.ts';
import { startSweeper } from './dispatch/sweeper.ts';
import type { SocketData } from './gateway/arrival.ts';
import { frontDoor } from './http/front-door.ts';
import { nextTurn } from './store/next-turn.ts';
import type { Store } from './store/open-store.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { loggedActions } from './wiring/action-log.ts';
import { auditKeeping } from './wiring/audit.ts';
import { authorityOf, certificateChore, tellAuthority, tlsSourceOf } from './wiring/certificates.ts';
import { chores } from './wiring/chores.ts';
import { dataPlane } from './wiring/data-plane.ts';
import { deviceGateway } from './wiring/device-gateway.ts';
import { type Engine, openEngine, type World } from './wiring/engine.ts';
import { enrolment } from './wiring/enrolment.ts';
import { openEntrance, peerAddress } from './wiring/entrance.ts';
import { every } from './wiring/every.ts';
import { installer } from './wiring/installer.ts';
import { listenUrl } from './wiring/listen.ts';
import { resumeLockdown } from './wiring/lockdown.ts';
import {
  meteredBlobs,
  meteredFetch,
  meteredSessions,
  meteredStore,
  metricsOf,
  serveMetrics,
  unitWatch,
} from './wiring/metrics.ts';
import { restApi } from './wiring/rest-api.ts';
import { serveAdmin } from './wiring/serve-admin.ts';
import { frontDoorRefusals } from './wiring/tallied.ts';
import { tracingOf } from './wiring/traces.ts';

const MIB = 1_048_576;

export type RunningServer = {
  readonly url: string;
  /** Where metrics are served on loopback; null where they are off. */
  readonly metricsPort: number | null;
  readonly stop: () => Promise<void>;
};

/** The clock, and what calls chores by it: a parameter, so that days pass in a test when it says so. */
export type ServerTime = {
  readonly now: () => number;
  /** Calls back every so many milliseconds; returns how to stop. */
  readonly every: (milliseconds: number, call: () => Promise<void>) => () => void;
};

/** `longarm` starts the `longarm` program; arguments follow. Needed for gateways alone. */
export type ServerWorld = ServerTime & { readonly longarm?: readonly string[] | undefined };

export const systemWorld = (longarm?: readonly string[]): ServerWorld => ({ now: () => Date.now(), every, longarm });

const openFolder = (config: ServerConfig, { now }: ServerTime, metrics: Metrics | null): Promise<DataFolder> =>
  openDataFolder({
    path: config.dataFolder,
    now,
    watch: metrics === null ? undefined : unitWatch(metrics),
    names: serverNames(config.host, config.publicUrl),
    terms: {
      maxGetBytes: Math.floor(config.limits['get-mib'] * MIB),
      maxOutputBytes: Math.floor(config.limits['output-mib'] * MIB),
      stopOnNonzeroExit: config.stopOnNonzeroExit,
    },
  });

/** Devices go by the system's trust, or by an authority that somebody else keeps. */
const NOTHING_ANNOUNCED = () => null;

const engineOf = async ({ config, folder, log, metrics, tracing }: World, { now }: ServerTime): Promise<Engine> => {
  const { store, sealKey, audience } = folder;
  const blobs = await diskBlobStore({ folder: join(folder.path, 'blobs'), now });
  const logged = loggedActions(log, store.actions);
  const told: Store = { ...store, actions: tracing?.store(logged) ?? logged };
  return openEngine({
    store: metrics === null ? told : meteredStore(metrics, told),
    blobs: metrics === null ? blobs : meteredBlobs(metrics, blobs),
    offered: tracing?.offered,
    watched: metrics === null ? undefined : (sessions) => meteredSessions(metrics, sessions),
    limits: config.limits,
    sealKey,
    audience,
    signReceipt: folder.signReceipt,
    announce: config.tls === 'own' ? folder.announce : NOTHING_ANNOUNCED,
    now,
    newId: randomUUID,
    newNonce: () => randomBytes(32).toString('base64url'),
    turn: nextTurn,
    log,
  });
};

const run = async (world: World, time: ServerWorld): Promise<RunningServer> => {
  const { config, folder, log, metrics } = world;
  const authority = authorityOf(world);
  const tls = await tlsSourceOf(world, time.now);
  const engine = await engineOf(world, time);
  await resumeLockdown(engine, log);
  const rest = restApi(engine, world);
  const install = installer(engine, config);
  const enrol = enrolment(engine, world, authority);
  const devices = deviceGateway(engine);
  let url = config.publicUrl ?? '';
  const fetch = frontDoor<Server<SocketData>>({
    base: () => url,
    isBaseFixed: config.publicUrl !== null,
    trustProxy: config.trustProxy,
    reference: referenceDoor({ runAcceptedStatus: rest.acceptedStatus }),
    api: rest.api,
    token: rest.token,
    enrol: enrol.door,
    signIn: rest.signIn,
    transfer: dataPlane(engine, world, rest.links),
    install: install.door,
    upgrade: (request, server, address) =>
      new URL(request.url).pathname === devices.path && server.upgrade(request, { data: devices.socketData(address) }),
    remoteAddress: peerAddress(config),
    allowIdle: (request, server, seconds) => server.timeout(request, seconds),
    newId: randomUUID,
    onFault: rest.onFault,
    onRefused: frontDoorRefusals(engine),
  });
  tellAuthority(world);
  const server = await openEntrance(world, {
    doors: { fetch: metrics === null ? fetch : meteredFetch(metrics, fetch), websocket: devices.websocket },
    devices,
    pair: tls?.current() ?? null,
    longarm: time.longarm,
  });
  url = config.publicUrl ?? listenUrl(config, server.port);
  const admin = await serveAdmin(engine, world, { url, authority, shelf: install.shelf, onFault: rest.onFault });
  const metricsDoor = serveMetrics(engine, world, metrics);
  const audit = await auditKeeping(engine, world);
  const stopSweeper = startSweeper(
    {
      every: time.every,
      onFault: (chore, fault) => log.error({ err: fault, chore }, 'a chore failed; it is tried again'),
    },
    [
      audit.chore,
      ...chores(engine, () => {
        rest.forget();
        install.forget();
        enrol.forget();
      }),
      ...(tls === null ? [] : [certificateChore(world, tls, server)]),
    ],
  );
  const stop = async () => {
    await stopSweeper();
    engine.sessions.closeAll('the server is stopping');
    await admin.stop(true);
    await metricsDoor?.stop();
    await server.stop();
    await audit.finish();
    await world.tracing?.close();
    await folder.close();
  };
  return { url: listenUrl(config, server.port), metricsPort: metricsDoor?.port ?? null, stop };
};

/** Starts everything; throws with a sentence when the folder, the certificate or the address cannot be had. */
export const startServer = async (
  config: ServerConfig,
  log: Log,
  time: ServerWorld = systemWorld(),
): Promise<RunningServer> => {
  const metrics = metricsOf(config);
  const folder = await openFolder(config, time, metrics);
  try {
    return await run({ config, folder, log, metrics, tracing: tracingOf(config) }, time);
  } catch (fault) {
    await folder.close();
    throw fault;
  }
};
