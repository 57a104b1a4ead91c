/** Server-sent events of the API as they come; a cut connection is made again behind the last event, nothing is polled. */
import type { Endpoint } from '@longarm/contract/rest/endpoint';
import { ApiFailure } from './api-failure.ts';
import type { Corridor } from './corridor.ts';
import type { PathParts } from './endpoint-url.ts';
import { readEvents, type ServerEvent } from './event-stream.ts';
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

export type WatchIo = { readonly corridor: Corridor; readonly world: ClientWorld; readonly origin: string };

export type Watched = { readonly endpoint: Endpoint; readonly path: PathParts };

type Attempt = Watched & { readonly lastId: string; readonly signal: AbortSignal };

/** Reads one stream until `end`, returned as true, or until it is over before that: false. */
async function* oneStream(io: WatchIo, attempt: Attempt): AsyncGenerator<ServerEvent, boolean> {
  const { endpoint, path, lastId, signal } = attempt;
  const resumed = lastId === '' ? {} : { 'last-event-id': lastId };
  const response = await io.corridor.send(endpoint, {
    path,
    headers: { accept: 'text/event-stream', ...resumed },
    signal,
  });
  if (response.body === null) return false;
  const events = readEvents(response.body);
  for (;;) {
    const next = await nextEvent(io, events);
    if (next.done) return false;
    if (next.value?.event === 'end') return true;
    if (next.value !== null) yield next.value;
  }
}

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
 * Yields every event but `end`, at which it ends. Throws `ApiFailure` (refused), or `Unreachable` when no event came
 * for the time of patience.
 */
export async function* watchEvents(
  io: WatchIo,
  watched: Watched,
  options: WatchOptions = {},
): AsyncGenerator<ServerEvent> {
  const patienceMs = (options.patienceSeconds ?? 120) * 1000;
  let lastEventMs = io.world.now();
  let lastId = '';
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const attempt = new AbortController();
    const signal = AbortSignal.any([attempt.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    let delayMs: number | null = null;
    try {
      const stream = oneStream(io, { ...watched, lastId, signal });
      for (;;) {
        const step = await stream.next();
        if (step.done && step.value) return;
        if (step.done) break;
        lastEventMs = io.world.now();
        pauseMs = FIRST_PAUSE_MS;
        lastId = step.value.id || lastId;
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
