/**
 * How an output that was longer than its limit is kept: its head, one line of ours, its tail. Pure; the agent writes
 * it so, and the server finds the places of the raw output in it.
 */

/** What the line may add to an output's limit, bytes. */
export const CUT_NOTICE_BYTES = 80;

/** The line between head and tail: ASCII, with a line feed at both ends. */
export const cutNotice = (cutBytes: number): string => `\n[longarm: ${cutBytes} bytes of this output were not kept]\n`;

/** Of so many bytes that are kept of an output, those that are its head; the others are its tail. */
export const headBytesOf = (keptBytes: number): number => Math.ceil(keptBytes / 2);

/** A part of the raw output, half-open, and where it begins in what is stored. */
export type KeptPart = { readonly start: number; readonly end: number; readonly storedAt: number };

/** The raw output's parts in a stored output with the notice in it; null where none can be. */
export const partsAroundCut = (stored: {
  readonly sizeBytes: number;
  readonly cutBytes: number;
}): { readonly head: KeptPart; readonly tail: KeptPart; readonly noticeAt: number } | null => {
  const noticeBytes = cutNotice(stored.cutBytes).length;
  const keptBytes = stored.sizeBytes - noticeBytes;
  if (stored.cutBytes === 0 || keptBytes < 0) return null;
  const headBytes = headBytesOf(keptBytes);
  const tailAt = headBytes + stored.cutBytes;
  return {
    head: { start: 0, end: headBytes, storedAt: 0 },
    tail: { start: tailAt, end: keptBytes + stored.cutBytes, storedAt: headBytes + noticeBytes },
    noticeAt: headBytes,
  };
};
