/** A script's output, read from where it was saved, for a person to see; long output is shown from its start. */
import { open } from 'node:fs/promises';
import { painter } from '../display/paint.ts';
import { formatSize } from '../display/quantities.ts';
import { visible, visibleLines } from '../display/visible.ts';
import type { Io } from '../world/io.ts';
import type { SavedResult } from './save-result.ts';

const SHOWN_BYTES = 65_536;

const readStart = async (path: string): Promise<Uint8Array> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SHOWN_BYTES), 0, SHOWN_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

/** `raw`: all of it and as it came, control characters too. */
export const showOutput = async (io: Io, saved: SavedResult, raw: boolean): Promise<void> => {
  if (saved.sizeBytes === 0) return;
  const paint = painter(io);
  await io.stdout.write(`${paint('bold', `--- ${saved.form} of command ${saved.index}`)}\n`);
  if (raw) {
    for await (const chunk of Bun.file(saved.path).stream()) await io.stdout.write(chunk);
    return;
  }
  const text = visibleLines(new TextDecoder().decode(await readStart(saved.path)));
  await io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  const hidden = saved.sizeBytes - SHOWN_BYTES;
  if (hidden > 0) {
    await io.stdout.write(`${paint('dim', `… ${formatSize(hidden)} more in ${visible(saved.path)}`)}\n`);
  }
};
