/**
 * Text of raw bytes that come in pieces, with its places: a character that a border cuts waits for its end, so that
 * no place ever lies within one. What is not UTF-8 becomes U+FFFD (WHATWG Encoding), a byte order mark stays.
 */

export type TextPiece = { readonly offset: number; readonly text: string };

export type Utf8Pieces = {
  /** Texts of the bytes at this offset; more than one when it lies beyond the end of those before. */
  readonly take: (offset: number, bytes: Uint8Array) => readonly TextPiece[];
  /** What waits for an end that does not come. */
  readonly end: () => readonly TextPiece[];
  /** Everything before it has been given. */
  readonly position: () => number;
  /** Where the next bytes are expected. */
  readonly next: () => number;
};

/** How long the character is that this byte begins; 1 for what begins none. */
const lengthFrom = (byte: number): number => {
  if (byte >= 0xf0) return byte < 0xf8 ? 4 : 1;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
};

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Bytes at the end that may be the beginning of a character. */
const unfinished = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (!isContinuation(byte)) return lengthFrom(byte) > back ? back : 0;
  }
  return 0;
};

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

export const utf8Pieces = (start: number): Utf8Pieces => {
  let at = start;
  let held: Uint8Array = new Uint8Array();
  const give = (bytes: Uint8Array, rest: Uint8Array): readonly TextPiece[] => {
    const piece = { offset: at, text: decode(bytes) };
    at += bytes.length;
    held = rest;
    return bytes.length === 0 ? [] : [piece];
  };
  const end = () => give(held, new Uint8Array());
  const next = () => at + held.length;
  return {
    take: (offset, bytes) => {
      const before = offset === next() ? [] : end();
      if (offset !== next()) at = offset;
      const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      const whole = all.length - unfinished(all);
      // a copy: the rest must not keep the whole piece alive
      return [...before, ...give(all.subarray(0, whole), Uint8Array.from(all.subarray(whole)))];
    },
    end,
    position: () => at,
    next,
  };
};
