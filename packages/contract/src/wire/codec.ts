/** The one codec of frames: JSON text within a size, then the strict schema. A fault is a sentence, never a throw. */
import type { z } from 'zod';

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

const shorten = (text: string): string => (text.length <= 300 ? text : `${text.slice(0, 300)}…`);

/** Reads one frame; `maxBytes` is checked before anything is parsed. */
export const decodeFrame = <T>(schema: z.ZodType<T>, text: string | Uint8Array, maxBytes: number): Decoded<T> => {
  if (typeof text !== 'string') return { ok: false, fault: 'expected a text frame, got a binary one' };
  // a UTF-16 unit is at most three bytes of UTF-8: the cheap test comes first
  if (text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes) {
    return { ok: false, fault: `expected at most ${maxBytes} bytes in a frame, got more` };
  }
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
