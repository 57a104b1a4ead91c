/** One range of a download (RFC 9110 14.1.2, 14.2, 13.1.5), for resuming; several at once are served whole. */
import type { ByteRange } from '../../library/ports.ts';

export type RangeRequest = {
  /** The header `Range`, null when absent. */
  readonly range: string | null;
  /** The header `If-Range`, null when absent. */
  readonly ifRange: string | null;
  /** The strong entity tag of what is served now, with its quotes. */
  readonly etag: string;
};

/** Whole: 200. Part: 206 with its `Content-Range`. Unsatisfiable: 416 with the size alone. */
export type RangeAnswer =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange; readonly contentRange: string }
  | { readonly kind: 'unsatisfiable'; readonly contentRange: string };

const FORM = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i;
const WHOLE: RangeAnswer = { kind: 'whole' };

const part = (start: number, end: number, totalBytes: number): RangeAnswer => ({
  kind: 'part',
  range: { start, end },
  contentRange: `bytes ${start}-${end - 1}/${totalBytes}`,
});

const unsatisfiable = (totalBytes: number): RangeAnswer => ({
  kind: 'unsatisfiable',
  contentRange: `bytes */${totalBytes}`,
});

const lastBytes = (count: number, totalBytes: number): RangeAnswer => {
  if (count === 0) return unsatisfiable(totalBytes);
  // the last bytes of nothing are all of it, and `Content-Range` has no form for an empty part
  return totalBytes === 0 ? WHOLE : part(Math.max(0, totalBytes - count), totalBytes, totalBytes);
};

/** A range that is malformed, of another unit or one of several is ignored, as the standard allows. */
export const answerRange = (request: RangeRequest, totalBytes: number): RangeAnswer => {
  // strong comparison: a weak tag or a date is never sure enough to glue two halves together
  if (request.ifRange !== null && request.ifRange !== request.etag) return WHOLE;
  const [, first = '', last = ''] = FORM.exec(request.range ?? '') ?? [];
  if (first === '') return last === '' ? WHOLE : lastBytes(Number(last), totalBytes);
  const start = Number(first);
  if (last !== '' && Number(last) < start) return WHOLE;
  if (start >= totalBytes) return unsatisfiable(totalBytes);
  return part(start, last === '' ? totalBytes : Math.min(Number(last) + 1, totalBytes), totalBytes);
};
