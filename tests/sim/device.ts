/** A device: its disk, its processes, its clock, and the agent that something starts again whenever it ends. */

import type { CommandEnd } from '@longarm/agent/commands/command-run';
import type { Journal } from '@longarm/agent/journal/journal';
import type { Device } from '@longarm/agent/wiring/device';
import { type Spool, spoolPath, type Unsynced } from './commands.ts';
import { type BrokenDevice, startAgent } from './device-program.ts';
import type { Faults } from './faults.ts';
import { BEGINNING_MS, type DeviceKey } from './founding.ts';
import { journalMedium } from './journal-disk.ts';
import { type Life, newLife } from './life.ts';
import { deviceNetwork, type NetworkIo } from './network.ts';
import { type Processes, processes, type VirtualProcess } from './processes.ts';
import type { Trace } from './trace.ts';
import type { WorldLimits } from './world-limits.ts';

export type SimulatedDevice = {
  readonly index: number;
  readonly key: DeviceKey;
  readonly start: () => void;
  /** The agent dies at one of its next effects. */
  readonly crashSoon: () => void;
  /** The device is off for so long; what was not synced may be lost, its processes are. */
  readonly losePower: (offMs: number) => void;
  /** It is switched off and never comes back. */
  readonly vanish: () => void;
  readonly isGone: () => boolean;
  readonly setCutOff: (isCutOff: boolean) => void;
  readonly cutConnections: () => void;
  readonly setDiskFull: (isFull: boolean) => void;
  readonly jumpClock: (byMs: number) => void;
  readonly running: () => readonly VirtualProcess[];
  /** Of the run that is, or was last. */
  readonly journal: () => Journal | null;
  readonly journalBytes: () => number;
  /** What each command came to, by action and index, as far as the agent lived to see it. */
  readonly ends: ReadonlyMap<string, CommandEnd>;
  /** The world is over: the runtime keeps what listens to a signal until somebody aborts it, of runs that died as well. */
  readonly letGo: () => void;
};

export type DeviceIo = NetworkIo & {
  readonly index: number;
  readonly key: DeviceKey;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly limits: WorldLimits;
  readonly onBegun: (device: number, actionId: string, index: number) => void;
  readonly broken: BrokenDevice;
};

export const commandKey = (actionId: string, index: number): string => `${actionId}-${index}`;

type State = {
  life: Life | null;
  journal: Journal | null;
  isOff: boolean;
  isGone: boolean;
  boots: number;
  clockOffsetMs: number;
};

/** An agent that dies takes its ends of the pipes with it: what its scripts said by then is what there is. */
const leaveScripts = (io: DeviceIo, hardware: { readonly running: Processes; readonly spool: Spool }) => {
  for (const process of hardware.running.running()) {
    hardware.spool.set(spoolPath(process.actionId, process.index, 'stdout'), process.outputSoFar());
    hardware.spool.set(spoolPath(process.actionId, process.index, 'stderr'), new Uint8Array());
    if (!io.faults.strikes('process-survives', 0.7)) process.signal('SIGKILL');
  }
};

export const simulatedDevice = (io: DeviceIo): SimulatedDevice => {
  const { time, faults, trace, index, key } = io;
  const random = io.random.fork();
  const who = `device ${index}`;
  const medium = journalMedium({ random: random.fork(), faults });
  const spool: Spool = new Map();
  const unsynced: Unsynced = new Set();
  const running = processes({
    time,
    random: random.fork(),
    faults,
    scriptMs: io.limits.server['script-seconds'] * 1_000,
    maxOutputBytes: io.limits.maxOutputBytes,
  });
  const network = deviceNetwork({ ...io, random: random.fork() });
  const ends = new Map<string, CommandEnd>();
  const state: State = {
    life: null,
    journal: null,
    isOff: false,
    isGone: false,
    boots: 1,
    clockOffsetMs: random.int(-1, 1) * 7_200_000,
  };

  const runs: Device[] = [];
  const program = (life: Life) =>
    startAgent(
      {
        index,
        key,
        medium,
        processes: running,
        spool,
        unsynced,
        network,
        random: random.fork(),
        trace,
        bootId: `boot ${state.boots}`,
        localNow: () => BEGINNING_MS + Math.floor(time.now()) + state.clockOffsetMs,
        monotonic: time.now,
        onBegun: (actionId, command) => io.onBegun(index, actionId, command),
        onEnd: (actionId, command, end) => {
          trace.tell(who, `${actionId.slice(0, 8)} command ${command}: ${end.outcome} ${end.errors[0] ?? ''}`);
          ends.set(commandKey(actionId, command), end);
        },
        broken: io.broken,
      },
      life,
    );
  const start = () => {
    if (state.isOff || state.isGone || state.life?.isOver() === false) return;
    const life = newLife(time);
    state.life = life;
    trace.tell(who, 'agent starts');
    life.onEnd(() => {
      trace.tell(who, 'agent is over');
      leaveScripts(io, { running, spool });
      time.after(random.int(200, 20_000), start);
    });
    const fail = (fault: unknown) => {
      if (!life.isOver()) trace.tell(who, `agent gives up: ${fault}`);
      life.end();
    };
    program(life).then(({ device, journal }) => {
      state.journal = journal;
      runs.push(device);
      device.ended.catch(fail);
    }, fail);
  };
  return {
    index,
    key,
    start,
    crashSoon: () => {
      const { life } = state;
      if (life === null || life.isOver()) return;
      life.onEnd(() => faults.count('agent-crash'));
      if (random.chance(0.4)) life.end();
      else life.doom(random.int(0, 14));
    },
    losePower: (offMs) => {
      trace.tell(who, `loses power for ${Math.round(offMs / 1_000)} s`);
      state.isOff = true;
      running.endAll();
      state.life?.end();
      running.endAll();
      medium.losePower();
      for (const path of unsynced) if (spool.has(path) && faults.strikes('output-lost', 0.7)) spool.delete(path);
      unsynced.clear();
      time.after(offMs, () => {
        state.isOff = false;
        state.boots++;
        start();
      });
    },
    vanish: () => {
      trace.tell(who, 'is gone for good');
      state.isGone = true;
      state.life?.end();
      running.endAll();
    },
    isGone: () => state.isGone,
    setCutOff: (isCutOff) => {
      trace.tell(who, isCutOff ? 'is cut off' : 'is reachable again');
      network.setCutOff(isCutOff);
    },
    cutConnections: network.cut,
    setDiskFull: (isFull) => {
      trace.tell(who, isFull ? 'its disk is full' : 'its disk has room again');
      medium.setFull(isFull);
    },
    jumpClock: (byMs) => {
      trace.tell(who, `its clock jumps by ${byMs} ms`);
      state.clockOffsetMs += byMs;
    },
    running: running.running,
    journal: () => state.journal,
    journalBytes: medium.sizeBytes,
    ends,
    letGo: () => {
      for (const run of runs) run.stop();
    },
  };
};
