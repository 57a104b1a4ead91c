/** The bytes behind a link, whole, however often the connection is cut on the way (RFC 9110, 14: ranges). */
import { UnexpectedAnswer } from './unexpected-answer.ts';
import { asUnreachable, Unreachable } from './unreachable.ts';
import { type ClientWorld, pause } from './world.ts';

/** Cuts in a row, without one byte between them, after which the download is given up. */
const FRUITLESS_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** Opens the content from `offset`; the answer is 206 from there on, or 200 from the start. */
export type OpenContent = (offset: number) => Promise<Response>;

type ResumeIo = { readonly open: OpenContent; readonly world: ClientWorld; readonly origin: string };

const contentRange = /^bytes (\d+)-\d+\/(\d+|\*)$/;

/** Where the body of this answer begins, and where the whole content ends (null: not told). */
const extent = (response: Response): { readonly start: number; readonly end: number | null } => {
  if (response.status === 206) {
    const [, start, total] = contentRange.exec(response.headers.get('content-range') ?? '') ?? [];
    return { start: Number(start ?? Number.NaN), end: total === undefined || total === '*' ? null : Number(total) };
  }
  const length = response.headers.get('content-length');
  return { start: 0, end: length === null ? null : Number(length) };
};

/** Yields what of this answer lies at or after `offset`; throws `Unreachable` when it ends too early. */
async function* bytesFrom(response: Response, offset: number, origin: string): AsyncGenerator<Uint8Array> {
  const { start, end } = extent(response);
  if (!(start <= offset))
    throw new UnexpectedAnswer(`Asked for the content from byte ${offset}, got it from byte ${start}.`);
  let at = start;
  for await (const chunk of response.body ?? []) {
    const fresh = chunk.subarray(Math.max(0, offset - at));
    at += chunk.length;
    if (fresh.length > 0) yield fresh;
  }
  if (end !== null && at < end) throw new Unreachable('cut', origin);
}

/** Yields all bytes from the first to the last. Throws `Unreachable` after too many cuts in a row. */
export async function* resumedBytes(io: ResumeIo, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let opened = false;
  for (let fruitless = 0, pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const response = await io.open(offset);
      opened = true;
      for await (const chunk of bytesFrom(response, offset, io.origin)) {
        yield chunk;
        offset += chunk.length;
        fruitless = 0;
        pauseMs = FIRST_PAUSE_MS;
      }
      return;
    } catch (error) {
      const failure = asUnreachable(io.origin, error, signal);
      const mendable = failure instanceof Unreachable && failure.reason !== 'untrusted' && opened;
      fruitless++;
      if (!mendable || fruitless > FRUITLESS_ATTEMPTS) throw failure;
    }
    await pause(io.world, pauseMs, signal);
  }
}
