/** The kinds of trouble, which of them a world has, and how often each really happened. */
import type { Random } from './random.ts';

export const FAULTS = [
  'frame-slow',
  'connection-cut',
  'connection-half-open',
  'dial-failed',
  'dial-unanswered',
  'request-lost',
  'answer-lost',
  'body-cut',
  'request-replayed',
  'content-garbled',
  'agent-crash',
  'server-crash',
  'server-power-loss',
  'power-loss',
  'device-away',
  'device-gone',
  'write-torn',
  'unsynced-lost',
  'journal-full',
  'journal-write-fails',
  'journal-sync-fails',
  'output-lost',
  'process-survives',
  'process-stubborn',
  'commit-fails',
  'commit-lost',
  'log-sync-slow',
  'log-sync-fails',
  'store-slow',
  'blobs-full',
  'upload-slow',
  'upload-forgotten',
  'device-clock-jumps',
  'server-clock-jumps',
  'caller-impatient',
  'cancel',
  'own-approval',
  'stranger',
  'hostile-request',
  'hostile-device',
] as const;
export type Fault = (typeof FAULTS)[number];

export type Faults = {
  /** True, and counted, when it happens now; never in a world without it, nor once faults have stopped. */
  readonly strikes: (fault: Fault, probability: number) => boolean;
  /** It may happen in this world, and faults have not stopped. */
  readonly isOn: (fault: Fault) => boolean;
  readonly count: (fault: Fault) => void;
  readonly counts: () => ReadonlyMap<Fault, number>;
  /** From here on everything works. */
  readonly stop: () => void;
};

/** Which faults a world has is chance too: what hides behind another fault shows in the worlds without that one. */
export const faultsOf = (random: Random): Faults => {
  const share = random.pick([0.15, 0.35, 0.6, 1]);
  const chosen = new Set(FAULTS.filter(() => random.chance(share)));
  const counts = new Map<Fault, number>();
  let hasStopped = false;
  const count = (fault: Fault) => counts.set(fault, (counts.get(fault) ?? 0) + 1);
  const isOn = (fault: Fault) => !hasStopped && chosen.has(fault);
  return {
    isOn,
    count,
    strikes: (fault, probability) => {
      if (!isOn(fault) || !random.chance(probability)) return false;
      count(fault);
      return true;
    },
    counts: () => counts,
    stop: () => {
      hasStopped = true;
    },
  };
};
