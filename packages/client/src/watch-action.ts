/** An action as it changes, over server-sent events; a cut connection is made again, nothing is polled. */
import { ActionEntity } from '@longarm/contract/action';
import { ENDPOINTS } from '@longarm/contract/rest/index';
import { ApiFailure } from './api-failure.ts';
import type { Corridor } from './corridor.ts';
import { readEvents, type ServerEvent } from './event-stream.ts';
import { parseAnswer } from './unexpected-answer.ts';
import { reach, Unreachable } from './unreachable.ts';
import { type ClientWorld, pause } from './world.ts';

/** A stream that is silent this long is taken as dead: servers send comments to keep it alive. */
const SILENCE_MS = 90_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export type WatchOptions = {
  readonly signal?: AbortSignal;
  /** Seconds without a single event, over all attempts, after which the last failure is thrown. Default 120. */
  readonly patienceSeconds?: number;
};

/** Reads one stream until `end`, returned as true, or until it is over before that: false. */
async function* oneStream(io: WatchIo, signal: AbortSignal): AsyncGenerator<ActionEntity, boolean> {
  const response = await io.corridor.send(ENDPOINTS.watchMachineAction, {
    path: { id: io.id },
    headers: { accept: 'text/event-stream' },
    signal,
  });
  if (response.body === null) return false;
  const events = readEvents(response.body);
  for (;;) {
    const next = await nextEvent(io, events);
    if (next.done) return false;
    if (next.value?.event === 'end') return true;
    if (next.value?.event === 'action') {
      yield parseAnswer(ActionEntity, JSON.parse(next.value.data), 'the event stream');
    }
  }
}

type WatchIo = {
  readonly corridor: Corridor;
  readonly world: ClientWorld;
  readonly id: string;
  readonly origin: string;
};

const nextEvent = async (io: WatchIo, events: AsyncGenerator<ServerEvent | null>) => {
  let stopWaiting = () => {};
  const silence = new Promise<never>((_, reject) => {
    stopWaiting = io.world.after(SILENCE_MS, () => reject(new Unreachable('silent', io.origin)));
  });
  try {
    return await Promise.race([reach(io.origin, () => events.next()), silence]);
  } finally {
    stopWaiting();
  }
};

/** How long to wait before the next attempt; throws what another attempt cannot mend. */
const retryMs = (failure: unknown, pauseMs: number): number => {
  if (failure instanceof Unreachable && failure.reason !== 'untrusted') return pauseMs;
  if (failure instanceof ApiFailure && failure.status === 429) return (failure.retryAfterSeconds ?? 1) * 1000;
  if (failure instanceof ApiFailure && failure.status >= 500) return pauseMs;
  throw failure;
};

/**
 * Yields the whole entity at once and after each change, and ends when the action is final in effect.
 * Throws `ApiFailure` (refused), or `Unreachable` when no event came for the time of patience.
 */
export async function* watchAction(io: WatchIo, options: WatchOptions = {}): AsyncGenerator<ActionEntity> {
  const patienceMs = (options.patienceSeconds ?? 120) * 1000;
  let lastEventMs = io.world.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const attempt = new AbortController();
    const signal = AbortSignal.any([attempt.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    let delayMs: number | null = null;
    try {
      const stream = oneStream(io, signal);
      for (;;) {
        const step = await stream.next();
        if (step.done && step.value) return;
        if (step.done) break;
        lastEventMs = io.world.now();
        pauseMs = FIRST_PAUSE_MS;
        yield step.value;
      }
      if (io.world.now() - lastEventMs > patienceMs) throw new Unreachable('cut', io.origin);
    } catch (failure) {
      options.signal?.throwIfAborted();
      delayMs = retryMs(failure, pauseMs);
      if (io.world.now() + delayMs - lastEventMs > patienceMs) throw failure;
    } finally {
      attempt.abort();
    }
    await pause(io.world, delayMs ?? pauseMs, options.signal);
  }
}
