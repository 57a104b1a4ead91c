/** Tries until it is done, refused or stopped, with pauses that grow and are never the same for two devices. */
import { faultCode } from '@longarm/contract/system-fault';
import { faultText } from '../platform/fault.ts';
import { pause } from '../platform/timers.ts';
import type { TransferIo } from './transfer-io.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** What one attempt came to: an end, or why there is to be another. `moved`: it got further than the one before. */
export type Attempt<End> =
  | { readonly kind: 'end'; readonly end: End }
  | { readonly kind: 'again'; readonly fault: string; readonly moved: boolean };

export type Stopped = {
  readonly kind: 'stopped' /** What stood in the way last, or null. */;
  readonly fault: string | null;
};

/** What kept an attempt from its end, with the system's name for it where it has one. */
export const transferFault = (fault: unknown): string => {
  const text = faultText(fault);
  const code = faultCode(fault);
  return code === null || text.startsWith(code) ? text : `${code}: ${text}`;
};

const attemptOnce = async <End>(attempt: () => Promise<Attempt<End>>): Promise<Attempt<End>> => {
  try {
    return await attempt();
  } catch (fault) {
    return { kind: 'again', fault: transferFault(fault), moved: false };
  }
};

/** An attempt that throws is one to be repeated: no answer, or one that broke off. */
export const repeatUntilDone = async <End>(
  io: Pick<TransferIo, 'after' | 'random' | 'log'>,
  stop: AbortSignal,
  attempt: () => Promise<Attempt<End>>,
): Promise<End | Stopped> => {
  let pauseMs = FIRST_PAUSE_MS;
  let lastFault: string | null = null;
  while (!stop.aborted) {
    const came = await attemptOnce(attempt);
    if (came.kind === 'end') return came.end;
    if (stop.aborted) break;
    lastFault = came.fault;
    pauseMs = came.moved ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    io.log('info', 'a transfer is interrupted and goes on later', { fault: came.fault });
    await pause(io.after, pauseMs * (0.5 + io.random() / 2), stop);
  }
  return { kind: 'stopped', fault: lastFault };
};
