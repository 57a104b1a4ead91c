/**
 * Output of a script that runs, as it is said: a hint, sent only while somebody watches, and never stored. What is
 * true comes with the command's result.
 */
import { z } from 'zod';
import { ActionId } from '../ids.ts';
import { OUTPUT_FRAME_BYTES } from '../limits.ts';
import { SCRIPT_STREAMS } from '../result.ts';

/** Made by the server, one for each watcher. */
export const WatchId = z.string().min(1).max(64);

/** Characters of the longest piece in base64. */
const DATA_CHARACTERS = Math.ceil(OUTPUT_FRAME_BYTES / 3) * 4;

/** A piece of the raw stream. One that begins later than the last one ended says that what lay between is lost here. */
export const Output = z.strictObject({
  type: z.literal('output'),
  watchId: WatchId,
  actionId: ActionId,
  index: z.int().min(0).max(10_000),
  stream: z.enum(SCRIPT_STREAMS),
  offset: z.int().min(0),
  /** Raw bytes, base64. */
  data: z.base64().max(DATA_CHARACTERS),
});
export type Output = z.infer<typeof Output>;
