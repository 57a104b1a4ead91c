/** The file of checkpoints beside the database, one JSON object a line: what the administrator copies elsewhere. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AuditCheckpoint } from '@longarm/contract/audit/checkpoint';

/** File name in the data folder. */
export const CHECKPOINT_FILE_NAME = 'audit-checkpoints.jsonl';

/** Bytes of the longest line. */
const LINE_BYTES = 1_024;

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
};

/** Where the last whole line ends: a crash may have left part of one behind it. */
const endOfLines = async (file: Awaited<ReturnType<typeof open>>): Promise<number> => {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, LINE_BYTES));
  await file.read(tail, 0, tail.length, size - tail.length);
  return size - tail.length + tail.lastIndexOf('\n') + 1;
};

/** The last whole line; null where there is none, or none that is a checkpoint. */
export const lastCheckpoint = async (path: string): Promise<AuditCheckpoint | null> => {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    const end = await endOfLines(file);
    const tail = Buffer.alloc(Math.min(end, LINE_BYTES));
    await file.read(tail, 0, tail.length, end - tail.length);
    const line = tail.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    return AuditCheckpoint.safeParse(parsed(line)).data ?? null;
  } finally {
    await file.close();
  }
};

/** Durable when it resolves. The file is made, mode 0600, where there is none. */
export const checkpointFile =
  (path: string) =>
  async (checkpoint: AuditCheckpoint): Promise<void> => {
    // neither truncating nor appending: what is there stays, and where to write is decided here
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const end = await endOfLines(file);
      await file.truncate(end);
      await file.write(`${JSON.stringify(checkpoint)}\n`, end);
      await file.datasync();
    } finally {
      await file.close();
    }
  };
