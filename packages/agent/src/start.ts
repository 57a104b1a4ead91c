/** The agent, wired by hand: who knows whom, and what each is handed. */
import { open } from 'node:fs/promises';
import type { MachineId } from '@longarm/contract/ids';
import { faultCode } from '@longarm/contract/system-fault';
import { VERSION } from '@longarm/contract/version';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import type { CommandIo } from './commands/command-run.ts';
import { runCommand } from './commands/index.ts';
import { prepareState, stateFolderFault, sweepSpool } from './commands/prepare-state.ts';
import { type StateFolder, stateFolder } from './commands/state-folder.ts';
import { openWorkingFolder } from './commands/working-folder.ts';
import type { RunConfig } from './config.ts';
import { hardwareIdOf } from './identity/enrol.ts';
import { establishIdentity, SetupFault } from './identity/establish-identity.ts';
import { generationFile } from './identity/generation.ts';
import type { Identity } from './identity/identity-file.ts';
import type { KeyRing } from './identity/key-ring.ts';
import { serverRequest, tlsOptions } from './identity/server-request.ts';
import type { Fetch } from './identity/server-trust.ts';
import { transferProver } from './identity/transfer-proof.ts';
import { type TrustKeeper, trustKeeper } from './identity/trust-keeper.ts';
import { type Journal, openJournal, UnknownRecord } from './journal/journal.ts';
import { diagnose } from './link/diagnose.ts';
import { type ServerClock, serverClock } from './link/server-clock.ts';
import { type Dial, webSocketDial } from './link/socket.ts';
import { liveOutput } from './live/live-output.ts';
import { atRest, type Stir } from './platform/at-rest.ts';
import { fileReserve } from './platform/disk-reserve.ts';
import { faultText } from './platform/fault.ts';
import { takeLock } from './platform/instance-lock.ts';
import type { Log } from './platform/log.ts';
import { fileDisk } from './platform/log-disk.ts';
import type { Platform } from './platform/platform.ts';
import { type After, nextTurn, pause } from './platform/timers.ts';
import { PolicyFault } from './policy/policy.ts';
import type { PolicySource } from './policy/policy-source.ts';
import { removeOutput } from './process/output-files.ts';
import { readSpool } from './process/read-spool.ts';
import { type ProxySettings, proxyFor } from './proxy-for.ts';
import { deliverResult } from './runner/deliver-result.ts';
import { leftOver } from './runner/left-over.ts';
import { type Device, startDevice } from './wiring/device.ts';
import { deviceGuard, devicePolicy } from './wiring/device-guard.ts';

/** Between asking a process to end and killing it, milliseconds. */
const KILL_GRACE_MS = 5_000;

/** Until the server has said how often it wants to hear from the device, milliseconds. */
const HEARTBEAT_MS = 30_000;

/** The world, as `main.ts` gives it. */
export type World = {
  readonly pid: number;
  /** The device's own clock, which may be wrong. */
  readonly localNow: () => number;
  /** Milliseconds on a clock that nobody can set. */
  readonly monotonic: () => number;
  readonly after: After;
  readonly random: () => number;
  /** Text that nobody can guess, never the same twice: 22 characters of base64url. */
  readonly newNonce: () => string;
  readonly fetch: Fetch;
  readonly which: CommandIo['which'];
  /** What scripts get of the agent's own environment. */
  readonly inherited: CommandIo['inherited'];
  readonly platform: Platform;
  readonly log: Log;
  /** Told each time that the server let this device in. */
  readonly onConnected: (machineId: MachineId) => void;
};

export type Agent = Device;

type Parts = {
  readonly world: World;
  readonly folders: StateFolder;
  readonly proxy: ProxySettings;
  readonly workBytes: number;
  readonly stateFolder: string;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly trust: TrustKeeper;
  readonly journal: Journal;
  readonly clock: ServerClock;
  readonly stir: Stir;
  readonly rhythm: Rhythm;
  readonly policy: PolicySource;
};

/** How often the server wants to hear from the device, milliseconds; transfers go by it as well. */
type Rhythm = { heartbeatMs: number };

const commandIo = (parts: Parts): CommandIo => {
  const { world, folders, identity, keys, clock, policy, rhythm, workBytes } = parts;
  const { platform, after, random, localNow, log } = world;
  const request = serverRequest(world.fetch, { serverUrl: identity.serverUrl, caPem: parts.trust.caPem });
  const prove = transferProver({ identity, keys, now: clock.now, newNonce: world.newNonce });
  const admission = deviceGuard({ source: policy, machineId: identity.machineId, serverNow: clock.now, ...world });
  return {
    transfer: { request, prove, after, random, log, heartbeatMs: () => rhythm.heartbeatMs },
    process: {
      platform,
      after,
      graceMs: KILL_GRACE_MS,
      spawnFault: admission.spawnFault,
      helperFile: folders.joinGroup,
    },
    platform,
    guard: admission,
    folders,
    workingFolder: openWorkingFolder({
      path: folders.workingFolder,
      manifestPath: folders.workingFolderManifest,
      bootId: platform.bootId(),
      limitBytes: workBytes,
      localNow,
      log,
    }),
    scriptCacheBytes: workBytes,
    inherited: world.inherited,
    which: world.which,
  };
};

const dialOf = ({ proxy, identity, trust }: Parts): Dial => {
  const socketUrl = `${identity.serverUrl.replace(/^http/, 'ws')}${AGENT_PATHS.connect}`;
  const way = proxyFor(proxy, socketUrl);
  return webSocketDial(socketUrl, () => ({ ...tlsOptions(trust), ...(way === null ? {} : { proxy: way }) }));
};

const spoolOf =
  ({ journal, folders }: Parts): Parameters<typeof liveOutput>[0]['spoolOf'] =>
  ({ actionId, index, stream }) => {
    const payload = journal.action(actionId)?.payload ?? null;
    if (payload === null) return null;
    return { path: folders.spoolFile(actionId, index, stream), maxBytes: payload.maxOutputBytes };
  };

const launch = (parts: Parts): Promise<Agent> => {
  const { world, folders, identity } = parts;
  const { platform, after, random, log } = world;
  const commands = commandIo(parts);
  return startDevice({
    ...parts,
    ...{ after, random, log },
    monotonic: world.monotonic,
    facts: platform.facts,
    hardwareId: hardwareIdOf(platform, parts.stateFolder),
    generation: generationFile(folders.generation),
    bootId: platform.bootId(),
    runCommand: (run) => runCommand(commands, run),
    leftOver: leftOver({ commands, log }),
    deliver: (tickets) => deliverResult(commands.transfer, tickets, (path) => open(path, 'r')),
    turn: nextTurn,
    readSpool,
    removeSpool: removeOutput,
    sweepSpool: (inUse) => sweepSpool(folders, inUse),
    live: liveOutput({ spoolOf: spoolOf(parts), after }),
    dial: dialOf(parts),
    diagnose: () => diagnose(commands.transfer.request, identity.serverUrl),
    onWelcome: (heartbeatMs) => {
      parts.rhythm.heartbeatMs = heartbeatMs;
      world.onConnected(identity.machineId);
    },
  });
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
  return stateFolder(path);
};

/** What the disk says names no place, and whoever starts the agent wants to know which disk it is. */
const withPlace = (fault: unknown, path: string): unknown => {
  const code = faultCode(fault);
  if (code === null || !['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(code)) return fault;
  const sentence = `${path}: expected a disk that takes what the agent has to keep, got: ${faultText(fault)}. See to it and start again.`;
  return new Error(sentence, { cause: fault });
};

const lockState = (world: World, folders: StateFolder, path: string): (() => void) => {
  let letGo = () => {};
  try {
    // before anything is swept: the downloads of an agent that runs here are not ours
    letGo = takeLock(world.platform, folders.lock, world.pid);
    prepareState(folders);
    return letGo;
  } catch (fault) {
    letGo();
    throw withPlace(fault, path);
  }
};

/** A policy that cannot be obeyed is found before anybody relies on it. */
const requirePolicy = (world: World, config: RunConfig): PolicySource => {
  const policy = devicePolicy(world.platform, config);
  try {
    policy.read();
  } catch (fault) {
    throw fault instanceof PolicyFault ? new SetupFault(fault.message) : fault;
  }
  const file = policy.find();
  if (file !== null) world.log('info', 'this device obeys a policy of its own', { file });
  return policy;
};

/** Throws SetupFault for one that another version wrote: it does not get readable by starting again. */
const journalOf = (world: World, folders: StateFolder): Journal => {
  const onDisk = (fault: string | null) => {
    if (fault === null) world.log('info', 'the journal is written again');
    else world.log('error', 'the journal cannot be written: no new action is taken on until it can', { fault });
  };
  try {
    const reserve = fileReserve(folders.journalReserve);
    const { journal, droppedBytes } = openJournal(fileDisk(folders.journal), { reserve, onDisk });
    if (droppedBytes > 0) world.log('warn', 'the journal ended in a torn record, which was dropped', { droppedBytes });
    return journal;
  } catch (fault) {
    throw fault instanceof UnknownRecord ? new SetupFault(`${folders.journal}: ${fault.message}`) : fault;
  }
};

const openState = async (world: World, config: RunConfig, folders: StateFolder): Promise<Parts> => {
  const policy = requirePolicy(world, config);
  const { identity, keys, isNew } = await establishIdentity(
    { fetch: world.fetch, platform: world.platform, pause: (delayMs) => pause(world.after, delayMs) },
    { ...config, keyFiles: folders, identityFile: folders.identity, localNow: world.localNow },
  );
  const { machineId, serverUrl } = identity;
  // on purpose: whoever defends the device finds in its log that the agent runs, for whom, and how it was started
  const how = { version: VERSION, arguments: config.shown };
  world.log('info', isNew ? 'enrolled' : 'starting', { machineId, server: serverUrl, ...how });
  const journal = journalOf(world, folders);
  const clock = serverClock(world.monotonic, journal.serverTime() ?? world.localNow());
  const stir = atRest({
    after: world.after,
    isBusy: () => journal.unreported().length > 0,
    rest: world.platform.trimMemory,
  });
  return {
    world,
    proxy: config.proxy,
    workBytes: config.workBytes,
    stateFolder: config.stateFolder,
    folders,
    identity,
    keys,
    trust: trustKeeper(folders.identity, identity),
    journal,
    clock,
    stir,
    policy,
    rhythm: { heartbeatMs: HEARTBEAT_MS },
  };
};

/**
 * Starts the agent: enrols where that is still to be done, settles what the last run left, connects. Throws
 * SetupFault for what was given wrongly, and a sentence for what else keeps it from starting.
 */
export const start = async (config: RunConfig, outside: World): Promise<Agent> => {
  const world: World = { ...outside, fetch: proxiedFetch(outside.fetch, config.proxy) };
  const folders = requireStateFolder(config.stateFolder);
  const letGo = lockState(world, folders, config.stateFolder);
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
    throw withPlace(fault, config.stateFolder);
  }
};
