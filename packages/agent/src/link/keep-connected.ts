/** Connects, and connects again whenever the connection is over, for as long as the agent runs. */
import { backoff, type Course } from './backoff.ts';
import { explainRefusedCertificate } from './explain-certificate.ts';
import { runSession, type SessionEnd, type SessionIo } from './session.ts';

/** All that the runtime says of a name that does not resolve, and of a port that nobody listens at. */
const UNEXPLAINED = 'Failed to connect';

export type LinkIo = SessionIo & {
  /** Milliseconds on a clock that nobody can set. */
  readonly monotonic: () => number;
  /** Resolves after the delay, or when the signal is aborted. */
  readonly pause: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** Finds out more about a server that could not be reached; null when there is nothing more to say. */
  readonly diagnose: () => Promise<string | null>;
  readonly log: (level: 'info' | 'warn', message: string, fields: Readonly<Record<string, string | number>>) => void;
};

export type Link = {
  /** Resolves when the link was stopped. Rejects when a frame could not be handled: the journal is not writable. */
  readonly run: () => Promise<void>;
  /** Drops the connection, if there is one, and makes another: with it come fresh tickets. */
  readonly renew: () => void;
  readonly stop: () => void;
};

const reasonOf = async (io: LinkIo, { isUnreached, reason }: SessionEnd): Promise<string> => {
  if (!isUnreached) return reason;
  const known = reason === UNEXPLAINED ? ((await io.diagnose()) ?? reason) : reason;
  return explainRefusedCertificate(known);
};

export const link = (io: LinkIo): Link => {
  const stopping = new AbortController();
  let current = new AbortController();
  const pauses = backoff(io.random);
  /** When the connection is a stable one, if it lives so long; null before its welcome. */
  let stableAt: number | null = null;

  const connectOnce = async (): Promise<SessionEnd> => {
    current = new AbortController();
    stableAt = null;
    const onWelcome = (heartbeatMs: number) => {
      stableAt = io.monotonic() + heartbeatMs;
      io.onWelcome(heartbeatMs);
    };
    return runSession({ ...io, onWelcome }, AbortSignal.any([stopping.signal, current.signal]));
  };

  const course = (): Course => {
    if (stableAt === null) return 'failed';
    return io.monotonic() >= stableAt ? 'stable' : 'short';
  };

  const stayAway = async (end: SessionEnd) => {
    const delayMs = pauses.next(course(), end.retryAfterSeconds * 1_000);
    io.log('warn', 'not connected', { reason: await reasonOf(io, end), retryInMs: delayMs });
    await io.pause(delayMs, stopping.signal);
  };

  return {
    run: async () => {
      while (!stopping.signal.aborted) {
        const end = await connectOnce();
        if (!stopping.signal.aborted) await stayAway(end);
      }
    },
    renew: () => current.abort(),
    stop: () => stopping.abort(),
  };
};
