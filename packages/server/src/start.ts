/** All wiring of the server, in the order in which a request meets the parts. */
import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ADMIN_SOCKET_NAME } from '@longarm/contract/admin/operations';
import { PROFILES } from '@longarm/contract/limits';
import type { Server } from 'bun';
import { cancelAction } from './actions/cancel-action.ts';
import { expireOverdue } from './actions/expire-overdue.ts';
import { findAction } from './actions/find-action.ts';
import { issueResultLink } from './actions/issue-result-link.ts';
import { recordProgress } from './actions/record-progress.ts';
import { requestLiveResponse } from './actions/request-live-response.ts';
import { retireResults } from './actions/retire-results.ts';
import { adminHandler } from './admin/admin-door.ts';
import { adminOperations } from './admin/answer-operation.ts';
import { apiDoor } from './api/app.ts';
import { referenceDoor } from './api/reference-door.ts';
import { apiRoutes } from './api/routes.ts';
import { tokenDoor } from './api/token-endpoint.ts';
import { authenticate } from './auth/bearer.ts';
import { enrolDevice } from './auth/enrol-device.ts';
import { issueToken } from './auth/issue-token.ts';
import { resultLinks } from './auth/result-link.ts';
import { tickets } from './auth/ticket.ts';
import { diskBlobStore } from './blobs/disk.ts';
import { liveOutput } from './bus/live-output.ts';
import { localBus } from './bus/local.ts';
import { transferProgress } from './bus/transfer-progress.ts';
import type { ServerConfig } from './config.ts';
import { type DataFolder, openDataFolder, serverNames } from './data-folder.ts';
import { dispatcher } from './dispatch/dispatcher.ts';
import { type Chore, startSweeper } from './dispatch/sweeper.ts';
import { enrolRoutes } from './gateway/enrol.ts';
import { onFrame } from './gateway/on-frame.ts';
import { prove } from './gateway/prove.ts';
import { gatewaySessions } from './gateway/sessions.ts';
import { gateway, type SocketData } from './gateway/upgrade.ts';
import type { FaultLog } from './http/error-answer.ts';
import { frontDoor } from './http/front-door.ts';
import { libraryUpload } from './library/upload-library-file.ts';
import { callRate } from './limits/call-rate.ts';
import { findActiveMachine, findMachine } from './machines/find-machine.ts';
import type { Log } from './telemetry/log.ts';
import { receiveResult } from './transfer/receive-result.ts';
import { transferRoutes } from './transfer/routes.ts';
import { sendLibraryFile } from './transfer/send-library-file.ts';
import { sendResult } from './transfer/send-result.ts';
import { watchOutput } from './transfer/watch-output.ts';

const MIB = 1_048_576;
const MINUTE_MS = 60_000;
/** A device that is silent for this many heartbeats is gone. */
const SILENT_HEARTBEATS = 2.5;
/** How often the engine looks for what a lost hint left waiting, and for what is overdue. */
const TICK_MS = 500;

export type RunningServer = { readonly url: string; readonly stop: () => Promise<void> };

const every = (milliseconds: number, call: () => void): (() => void) => {
  const timer = setInterval(call, milliseconds);
  return () => clearInterval(timer);
};

type World = { readonly config: ServerConfig; readonly folder: DataFolder; readonly log: Log };

/** The parts below the doors. */
const openEngine = async ({ config, folder, log }: World) => {
  const now = () => Date.now();
  const clock = { now };
  const { store } = folder;
  const { limits } = config;
  await store.machines.disconnectAll();
  const blobs = await diskBlobStore({ folder: join(folder.path, 'blobs'), now });
  const hints = localBus();
  const ticketBook = tickets({ key: folder.sealKey, now });
  const sessions = gatewaySessions({ tickets: ticketBook });
  const engine = dispatcher({
    actions: store.actions,
    link: sessions,
    clock,
    limits,
    onFault: (fault) => log.error({ err: fault }, 'a claim failed; the next tick makes up for it'),
  });
  hints.connect(engine);
  const transfers = transferProgress({ hints, now });
  const live = liveOutput({ link: sessions, newId: randomUUID });
  return { live, now, clock, store, limits, blobs, hints, transfers, ticketBook, sessions, engine };
};

type Engine = Awaited<ReturnType<typeof openEngine>>;

const deviceGateway = (engine: Engine, { folder, log }: World) => {
  const { store, hints, now, clock, sessions } = engine;
  return gateway({
    sessions,
    now,
    newId: randomUUID,
    newNonce: () => randomBytes(32).toString('base64url'),
    handle: onFrame({
      now,
      onOutput: engine.live.deliver,
      tickets: engine.ticketBook,
      record: recordProgress({ actions: store.actions, hints, clock, transfers: engine.transfers }),
      prove: prove({
        machines: store.machines,
        actions: store.actions,
        sessions,
        tickets: engine.ticketBook,
        hints,
        now,
        audience: folder.audience,
        heartbeatSeconds: engine.limits['heartbeat-seconds'],
        onConnected: (session, machineId) => {
          log.info({ machineId, session: session.id, from: session.remoteAddress }, 'device connected');
          engine.live.connected(machineId);
        },
      }),
    }),
    onGone: async (machineId, sessionId) => {
      log.info({ machineId, session: sessionId }, 'device disconnected');
      await store.machines.disconnected(machineId, sessionId, now());
    },
    onFault: (session, fault) =>
      log.error({ err: fault, machineId: session.machineId }, 'a frame could not be handled'),
  });
};

const restApi = (engine: Engine, { config, folder, log }: World) => {
  const { store, blobs, hints, clock, now, limits, sessions } = engine;
  const links = resultLinks({ key: folder.sealKey, now, validMs: limits['link-minutes'] * MINUTE_MS });
  const { actions, machines, library, access } = store;
  const rate = callRate({ limits, now });
  const find = findAction({ actions });
  const findAny = findMachine({ machines });
  const onFault = (requestId: string, fault: unknown) => log.error({ err: fault, requestId }, 'a request failed');
  const { runAcceptedStatus: acceptedStatus } = PROFILES[config.profile];
  const routes = apiRoutes({
    acceptedStatus,
    requestLiveResponse: requestLiveResponse({
      actions,
      findMachine: findActiveMachine({ machines }),
      hints,
      clock,
      newId: randomUUID,
      limits,
      strictArgs: config.strictArgs,
    }),
    cancelAction: cancelAction({ actions, link: sessions, hints, clock }),
    issueResultLink: issueResultLink({ actions, signLink: links.sign }),
    findAction: find,
    watchOutput: watchOutput({ findAction: find, actions, blobs, hints, live: engine.live, every }),
    findMachine: findAny,
    actions,
    machines,
    library,
    blobs,
    hints,
    transfers: engine.transfers,
    clock,
    now,
    every,
    upload: libraryUpload({ library, blobs, now, limits }),
  });
  return {
    rate,
    links,
    onFault,
    acceptedStatus,
    api: apiDoor({
      authenticate: authenticate({ access, key: folder.tokenKey, now }),
      rate,
      routes,
      newId: randomUUID,
      onFault,
    }),
    token: tokenDoor({
      issueToken: issueToken({ access, key: folder.tokenKey, now, newId: randomUUID, defaultTenant: folder.tenant }),
      newId: randomUUID,
      now,
    }),
  };
};

const dataPlane = (engine: Engine, links: ReturnType<typeof resultLinks>) => {
  const { store, blobs, ticketBook, transfers, limits, now } = engine;
  return transferRoutes({
    sendLibraryFile: sendLibraryFile({ results: store.results, blobs, tickets: ticketBook, transfers }),
    receiveResult: receiveResult({ results: store.results, blobs, tickets: ticketBook, transfers, limits, now }),
    sendResult: sendResult({ actions: store.actions, blobs, links }),
  });
};

const chores = (engine: Engine, forgetCalls: () => void): readonly Chore[] => {
  const { store, hints, clock, sessions, limits, now } = engine;
  const heartbeatMs = limits['heartbeat-seconds'] * 1_000;
  return [
    { name: 'dispatch', everyMs: TICK_MS, run: engine.engine.tick },
    { name: 'expire', everyMs: TICK_MS, run: expireOverdue({ actions: store.actions, link: sessions, hints, clock }) },
    {
      name: 'silence',
      everyMs: Math.min(heartbeatMs / 2, 10_000),
      run: async () => sessions.closeSilent(now() - SILENT_HEARTBEATS * heartbeatMs),
    },
    { name: 'presence', everyMs: MINUTE_MS, run: () => store.machines.seen(sessions.connectedMachines(), now()) },
    { name: 'call rates', everyMs: 10 * MINUTE_MS, run: async () => forgetCalls() },
    {
      name: 'retention',
      everyMs: 15 * MINUTE_MS,
      run: retireResults({ results: store.results, blobs: engine.blobs, clock, limits }),
    },
  ];
};

/** The address that callers use when no public one is configured. */
const listenUrl = (config: ServerConfig, port: number): string => {
  const isWildcard = config.host === '0.0.0.0' || config.host === '::';
  const host = isWildcard ? hostname() : config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${config.tls === 'off' ? 'http' : 'https'}://${host}:${port}`;
};

const listen = (
  config: ServerConfig,
  folder: DataFolder,
  doors: {
    readonly fetch: (request: Request, server: Server<SocketData>) => Promise<Response | undefined>;
    readonly websocket: ReturnType<typeof gateway>['websocket'];
  },
) => {
  const { certificatePem: cert, keyPem: key } = folder.certificates;
  return Bun.serve<SocketData>({
    hostname: config.host,
    port: config.port,
    ...(config.tls === 'off' ? {} : { tls: { cert, key } }),
    // uploads have limits of their own, and are streamed
    maxRequestBodySize: (config.limits['get-mib'] + config.limits['library-mib'] + 1) * MIB,
    idleTimeout: 60,
    development: false,
    fetch: doors.fetch,
    websocket: doors.websocket,
  });
};

const serveAdmin = async (engine: Engine, { config, folder }: World, onFault: FaultLog) => {
  const path = join(folder.path, ADMIN_SOCKET_NAME);
  // one that a killed server left behind; the folder's lock says that nobody serves it
  await rm(path, { force: true });
  const operations = adminOperations({
    access: engine.store.access,
    tenant: folder.tenant,
    now: engine.now,
    randomText: (bytes) => randomBytes(bytes).toString('base64url'),
    newId: randomUUID,
    caSha256: config.tls === 'own' ? folder.certificates.caSha256 : null,
  });
  const umask = process.umask(0o177);
  try {
    return Bun.serve({ unix: path, fetch: adminHandler(operations, onFault) });
  } finally {
    process.umask(umask);
  }
};

const openFolder = (config: ServerConfig): Promise<DataFolder> =>
  openDataFolder({
    path: config.dataFolder,
    now: () => Date.now(),
    names: serverNames(config.host, config.publicUrl),
    terms: {
      maxGetBytes: Math.floor(config.limits['get-mib'] * MIB),
      maxOutputBytes: Math.floor(config.limits['output-mib'] * MIB),
      stopOnNonzeroExit: config.stopOnNonzeroExit,
    },
  });

/** Starts everything; throws with a sentence when the folder or the address cannot be had. */
export const startServer = async (config: ServerConfig, log: Log): Promise<RunningServer> => {
  const folder = await openFolder(config);
  const world: World = { config, folder, log };
  const engine = await openEngine(world);
  const rest = restApi(engine, world);
  const devices = deviceGateway(engine, world);
  let url = config.publicUrl ?? '';
  const fetch = frontDoor<Server<SocketData>>({
    base: () => url,
    isBaseFixed: config.publicUrl !== null,
    trustProxy: config.trustProxy,
    reference: referenceDoor({ runAcceptedStatus: rest.acceptedStatus }),
    api: rest.api,
    token: rest.token,
    enrol: enrolRoutes({
      enrol: enrolDevice({
        machines: engine.store.machines,
        now: engine.now,
        audience: folder.audience,
        envelopeKey: folder.envelopeKey,
      }),
      caPem: config.tls === 'off' ? null : folder.certificates.caPem,
    }),
    transfer: dataPlane(engine, rest.links),
    upgrade: (request, server, address) =>
      new URL(request.url).pathname === devices.path && server.upgrade(request, { data: devices.socketData(address) }),
    remoteAddress: (request, server) => server.requestIP(request)?.address ?? null,
    allowIdle: (request, server, seconds) => server.timeout(request, seconds),
    newId: randomUUID,
    onFault: rest.onFault,
  });
  if (config.tls === 'own') {
    const { caSha256 } = folder.certificates;
    log.info({ caSha256, caFile: join(folder.path, 'tls', 'ca.pem') }, 'clients trust this server by its own CA');
  }
  const server = listen(config, folder, { fetch, websocket: devices.websocket });
  url = config.publicUrl ?? listenUrl(config, server.port ?? config.port);
  const admin = await serveAdmin(engine, world, rest.onFault);
  const stopSweeper = startSweeper(
    { every, onFault: (chore, fault) => log.error({ err: fault, chore }, 'a chore failed; it is tried again') },
    chores(engine, rest.rate.forget),
  );
  const stop = async () => {
    await stopSweeper();
    engine.sessions.closeAll('the server is stopping');
    await admin.stop(true);
    await server.stop(true);
    await folder.close();
  };
  return { url: listenUrl(config, server.port ?? config.port), stop };
};
