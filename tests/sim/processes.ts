/** Processes of one device: virtual, but with pids, outputs, ends, and a life of their own beside the agent's. */
import type { ActionId } from '@longarm/contract/ids';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export type VirtualProcess = {
  readonly pid: number;
  readonly startTime: string;
  readonly actionId: ActionId;
  readonly index: number;
  readonly isAlive: () => boolean;
  readonly outputSoFar: () => Uint8Array;
  /** Null while it is alive. */
  readonly exit: () => { readonly exitCode: number | null; readonly signal: number | null } | null;
  /** A stubborn one does not hear a request to end. */
  readonly signal: (signal: 'SIGTERM' | 'SIGKILL') => void;
  readonly ended: Promise<void>;
};

export type Processes = {
  readonly start: (what: {
    readonly actionId: ActionId;
    readonly index: number;
    readonly script: string;
  }) => VirtualProcess;
  readonly running: () => readonly VirtualProcess[];
  /** The device loses its power. */
  readonly endAll: () => void;
};

export type ProcessIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  /** Around which the length of a long script lies, milliseconds. */
  readonly scriptMs: number;
  readonly maxOutputBytes: number;
};

const [SIGKILL, SIGTERM, SIGSEGV] = [9, 15, 11];

type Plan = {
  readonly lengthMs: number;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly bytes: number;
};

const planOf = ({ random, scriptMs, maxOutputBytes }: ProcessIo, script: string): Plan => {
  const brief = { lengthMs: random.int(20, 2_000), exitCode: 0, signal: null, bytes: random.int(0, 40) };
  switch (script) {
    case 'long.sh':
      return { ...brief, lengthMs: random.int(1_000, 2 * scriptMs) };
    case 'endless.sh':
      return { ...brief, lengthMs: Number.POSITIVE_INFINITY };
    case 'failing.sh':
      return { ...brief, exitCode: 3 };
    case 'crashing.sh':
      return { ...brief, exitCode: null, signal: SIGSEGV };
    case 'talkative.sh':
      return { ...brief, bytes: maxOutputBytes };
    default:
      return brief;
  }
};

export const processes = (io: ProcessIo): Processes => {
  const { time, random, faults } = io;
  const running = new Map<
    number,
    VirtualProcess & { readonly end: (how: 'planned' | 'SIGTERM' | 'SIGKILL') => void }
  >();
  let pids = 100;
  return {
    start: ({ actionId, index, script }) => {
      const pid = ++pids;
      const plan = planOf(io, script);
      const startedAt = time.now();
      const isStubborn = faults.strikes('process-stubborn', 0.3);
      const over = Promise.withResolvers<void>();
      let exit: ReturnType<VirtualProcess['exit']> = null;
      let endedAt = 0;
      const end = (how: 'planned' | 'SIGTERM' | 'SIGKILL') => {
        if (exit !== null) return;
        endedAt = time.now();
        exit = how === 'planned' ? plan : { exitCode: null, signal: how === 'SIGTERM' ? SIGTERM : SIGKILL };
        running.delete(pid);
        over.resolve();
      };
      const share = () =>
        Math.min(1, ((exit === null ? time.now() : endedAt) - startedAt + 1) / Math.min(plan.lengthMs, 60_000));
      const process = {
        pid,
        startTime: `${startedAt}`,
        actionId,
        index,
        isAlive: () => exit === null,
        outputSoFar: () =>
          new TextEncoder().encode(`${pid} says: `.repeat(plan.bytes).slice(0, Math.floor(plan.bytes * share()))),
        exit: () => exit,
        signal: (signal: 'SIGTERM' | 'SIGKILL') => {
          if (signal === 'SIGKILL') end('SIGKILL');
          else if (!isStubborn) time.after(random.int(0, 500), () => end('SIGTERM'));
        },
        ended: over.promise,
        end,
      };
      running.set(pid, process);
      if (Number.isFinite(plan.lengthMs)) time.after(plan.lengthMs, () => end('planned'));
      return process;
    },
    running: () => [...running.values()],
    endAll: () => {
      for (const process of [...running.values()]) process.end('SIGKILL');
    },
  };
};
