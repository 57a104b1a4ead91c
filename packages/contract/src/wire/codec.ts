/** The one codec of frames: JSON text within a size and a depth, then the strict schema. A fault is a sentence, never a throw. */
import type { z } from 'zod';
import { FRAME_DEPTH } from '../limits.ts';

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

const shorten = (text: string): string => (text.length <= 300 ? text : `${text.slice(0, 300)}…`);

/** A text this short may nest as it likes: parsing it costs next to nothing. */
const SHORT_CHARACTERS = 1_024;
const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [34, 92, 91, 93, 123, 125] as const;

/** Whether lists and objects are nested deeper than any frame is; looked at before a parser builds them. */
const isTooDeep = (text: string): boolean => {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= FRAME_DEPTH; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
    else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
    else if (code === QUOTE) at = endOfString(text, at + 1);
  }
  return depth > FRAME_DEPTH;
};

/** Where the string that begins here has its closing quote. */
const endOfString = (text: string, from: number): number => {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || Number.isNaN(code)) return at;
    if (code === BACKSLASH) at++;
  }
};

/** Reads one frame; `maxBytes` is checked before anything is parsed. */
export const decodeFrame = <T>(schema: z.ZodType<T>, text: string | Uint8Array, maxBytes: number): Decoded<T> => {
  if (typeof text !== 'string') return { ok: false, fault: 'expected a text frame, got a binary one' };
  // a UTF-16 unit is at most three bytes of UTF-8: the cheap test comes first
  if (text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes) {
    return { ok: false, fault: `expected at most ${maxBytes} bytes in a frame, got more` };
  }
  if (text.length > SHORT_CHARACTERS && isTooDeep(text))
    return { ok: false, fault: `expected at most ${FRAME_DEPTH} lists and objects in one another, got more` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'expected JSON in a frame, got something else' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, fault: shorten(`frame: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`) };
};

export const encodeFrame = (frame: object): string => JSON.stringify(frame);
