/** The agent, wired by hand: who knows whom, and what each is handed. */
import type { MachineId } from '@longarm/contract/ids';
import { AGENT_PATHS, connectProofText, PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import type { CommandIo } from './commands/command-run.ts';
import { prepareState, stateFolderFault, sweepSpool } from './commands/prepare-state.ts';
import { type StateFolder, stateFolder } from './commands/state-folder.ts';
import { openWorkingFolder } from './commands/working-folder.ts';
import type { RunConfig } from './config.ts';
import { establishIdentity, SetupFault } from './identity/establish-identity.ts';
import type { Identity } from './identity/identity-file.ts';
import type { DeviceKeys } from './identity/keys.ts';
import { serverRequest, tlsOptions } from './identity/server-request.ts';
import type { Fetch } from './identity/server-trust.ts';
import { inbox } from './inbox/inbox.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import { diagnose } from './link/diagnose.ts';
import { type Link, link } from './link/keep-connected.ts';
import { type ServerClock, serverClock } from './link/server-clock.ts';
import { webSocketDial } from './link/socket.ts';
import { liveOutput } from './live/live-output.ts';
import { type Outbox, outbox } from './outbox/outbox.ts';
import { atRest, type Stir } from './platform/at-rest.ts';
import { takeLock } from './platform/instance-lock.ts';
import type { Log } from './platform/log.ts';
import type { Platform } from './platform/platform.ts';
import { type After, pause } from './platform/timers.ts';
import { removeOutput } from './process/output-files.ts';
import { type ProxySettings, proxyFor } from './proxy-for.ts';
import { deliverResult } from './runner/deliver-result.ts';
import { recover } from './runner/recover.ts';
import { runner } from './runner/runner.ts';
import type { RunnerIo } from './runner/runner-io.ts';
import { ticketsOf } from './runner/tickets.ts';

/** Between asking a process to end and killing it, milliseconds. */
const KILL_GRACE_MS = 5_000;

/** Actions told of in one `prove`; the contract's bound. More than one is rare. */
const JOURNALED = 1_000;

/** The world, as `main.ts` gives it. */
export type World = {
  readonly pid: number;
  /** The device's own clock, which may be wrong. */
  readonly localNow: () => number;
  /** Milliseconds on a clock that nobody can set. */
  readonly monotonic: () => number;
  readonly after: After;
  readonly random: () => number;
  readonly fetch: Fetch;
  readonly which: CommandIo['which'];
  /** What scripts get of the agent's own environment. */
  readonly inherited: CommandIo['inherited'];
  readonly platform: Platform;
  readonly log: Log;
  /** Told each time that the server let this device in. */
  readonly onConnected: (machineId: MachineId) => void;
};

export type Agent = {
  /** Settles when the agent has ended: resolves after `stop`, rejects when it cannot go on. */
  readonly ended: Promise<void>;
  /** Stops what runs, then the connection. */
  readonly stop: () => void;
};

type Parts = {
  readonly world: World;
  readonly folders: StateFolder;
  readonly proxy: ProxySettings;
  readonly identity: Identity;
  readonly keys: DeviceKeys;
  readonly journal: Journal;
  readonly clock: ServerClock;
  readonly stir: Stir;
};

const runnerIo = (parts: Parts, renew: () => void): RunnerIo => {
  const { world, folders, journal } = parts;
  const { platform, after, log } = world;
  const bootId = platform.bootId();
  const request = serverRequest(world.fetch, parts.identity);
  const commands: CommandIo = {
    transfer: { request, after, random: world.random, log },
    process: { platform, after, graceMs: KILL_GRACE_MS },
    platform,
    folders,
    workingFolder: openWorkingFolder({
      path: folders.workingFolder,
      manifestPath: folders.workingFolderManifest,
      bootId,
    }),
    inherited: world.inherited,
    which: world.which,
  };
  return { journal, commands, tickets: ticketsOf(journal, renew), now: parts.clock.now, after, log };
};

const connection = (
  parts: Parts,
  io: RunnerIo,
  doors: Pick<Parameters<typeof link>[0], 'inbox' | 'outbox' | 'live'>,
): Link => {
  const { world, identity, keys, journal, clock } = parts;
  const { machineId, audience, serverUrl } = identity;
  const socketUrl = `${serverUrl.replace(/^http/, 'ws')}${AGENT_PATHS.connect}`;
  const proxy = proxyFor(parts.proxy, socketUrl);
  return link({
    ...doors,
    dial: webSocketDial(socketUrl, { ...tlsOptions(identity), ...(proxy === null ? {} : { proxy }) }),
    prove: (nonce) => ({
      type: 'prove',
      protocol: PROTOCOL_VERSION,
      machineId,
      proof: keys.sign(connectProofText({ nonce, machineId, audience })),
      facts: world.platform.facts(),
      journaled: journal.unreported().slice(0, JOURNALED),
    }),
    learnTime: clock.learn,
    onWelcome: () => {
      journal.note({ kind: 'server-time', at: clock.now() });
      world.log('info', 'connected', { machineId, server: serverUrl });
      world.onConnected(machineId);
      parts.stir();
    },
    diagnose: () => diagnose(io.commands.transfer.request, serverUrl),
    monotonic: world.monotonic,
    after: world.after,
    random: world.random,
    pause: (delayMs, signal) => pause(world.after, delayMs, signal),
    log: world.log,
  });
};

/** Everything that is owed may refer to a spool file; nothing else does once recovery is through. */
const spoolInUse = (journal: Journal): ReadonlySet<string> =>
  new Set(journal.owed().flatMap(({ sources }) => sources.map(({ path }) => path)));

const spoolOf =
  ({ journal, folders }: Parts): Parameters<typeof liveOutput>[0]['spoolOf'] =>
  ({ actionId, index, stream }) => {
    const payload = journal.action(actionId)?.payload ?? null;
    if (payload === null) return null;
    return { path: folders.spoolFile(actionId, index, stream), maxBytes: payload.maxOutputBytes };
  };

/** Whenever the server has taken something, the agent may be about to rest. */
const stirring = (box: Outbox, stir: Stir): Outbox => ({
  ...box,
  acknowledge: (sequence) => {
    box.acknowledge(sequence);
    stir();
  },
});

const launch = async (parts: Parts): Promise<Agent> => {
  const { world, folders, identity, journal, clock } = parts;
  const { log } = world;
  const failure = Promise.withResolvers<never>();
  const onFault = failure.reject;
  let renew = () => {};
  const io = runnerIo(parts, () => renew());
  const actions = runner(io, onFault);
  const goOn = await recover(io);
  sweepSpool(folders, spoolInUse(journal));
  const deliver = deliverResult(io.commands.transfer, io.tickets);
  const connected = connection(parts, io, {
    live: liveOutput({ spoolOf: spoolOf(parts), after: world.after }),
    outbox: stirring(outbox({ journal, deliver, removeSpool: removeOutput, log, onFault }), parts.stir),
    inbox: inbox({
      journal,
      identity,
      bootId: world.platform.bootId(),
      now: clock.now,
      log,
      begin: actions.begin,
      cancelRun: actions.cancel,
    }),
  });
  renew = connected.renew;
  for (const actionId of goOn) actions.begin(actionId);
  const shutDown = async () => {
    await actions.stop();
    connected.stop();
  };
  const ended = Promise.race([connected.run(), failure.promise]).catch(async (fault) => {
    await shutDown();
    throw fault;
  });
  return { ended, stop: () => void shutDown().catch(onFault) };
};

const proxiedFetch =
  (fetch: Fetch, settings: ProxySettings): Fetch =>
  (url, init = {}) => {
    const proxy = proxyFor(settings, url);
    return fetch(url, proxy === null ? init : { ...init, proxy });
  };

const requireStateFolder = (path: string): StateFolder => {
  const fault = stateFolderFault(path);
  if (fault !== null) throw new SetupFault(fault);
  const folders = stateFolder(path);
  prepareState(folders);
  return folders;
};

const openState = async (world: World, config: RunConfig, folders: StateFolder): Promise<Parts> => {
  const { identity, keys, isNew } = await establishIdentity(
    { fetch: world.fetch, platform: world.platform },
    { ...config, keyFile: folders.keys, identityFile: folders.identity },
  );
  const { machineId, serverUrl } = identity;
  world.log('info', isNew ? 'enrolled' : 'starting', { machineId, server: serverUrl });
  const { journal, droppedBytes } = openJournal(folders.journal);
  if (droppedBytes > 0) world.log('warn', 'the journal ended in a torn record, which was dropped', { droppedBytes });
  const clock = serverClock(world.monotonic, journal.serverTime() ?? world.localNow());
  const stir = atRest({
    after: world.after,
    isBusy: () => journal.unreported().length > 0,
    rest: world.platform.trimMemory,
  });
  return { world, proxy: config.proxy, folders, identity, keys, journal, clock, stir };
};

/**
 * Starts the agent: enrols where that is still to be done, settles what the last run left, connects. Throws
 * SetupFault for what was given wrongly, and a sentence for what else keeps it from starting.
 */
export const start = async (config: RunConfig, outside: World): Promise<Agent> => {
  const world: World = { ...outside, fetch: proxiedFetch(outside.fetch, config.proxy) };
  const folders = requireStateFolder(config.stateFolder);
  const letGo = takeLock(world.platform, folders.lock, world.pid);
  try {
    const parts = await openState(world, config, folders);
    const agent = await launch(parts);
    const close = () => {
      parts.journal.close();
      letGo();
    };
    return { ...agent, ended: agent.ended.finally(close) };
  } catch (fault) {
    letGo();
    throw fault;
  }
};
