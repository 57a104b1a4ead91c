/** Checkpoints that the administrator kept elsewhere: signed heads of the chain, one JSON object a line. */
import { readFile } from 'node:fs/promises';
import type { AuditCheckpoint } from '@longarm/contract/audit/checkpoint';
import { CliFault } from '../faults/cli-fault.ts';
import { readCheckpoint } from './signed-checkpoint.ts';

/** Throws a fault for a line that is none. What a copy holds behind its last line break was not yet written whole. */
export const readCheckpoints = async (file: string): Promise<readonly AuditCheckpoint[]> => {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  const checkpoints = lines.map((line, at) => {
    const checkpoint = readCheckpoint(line);
    if (checkpoint === null)
      throw new CliFault('local', `Line ${at + 1} of ${file} is no signed checkpoint.`, 'Use the copy as it was made.');
    return checkpoint;
  });
  if (checkpoints.length === 0) throw new CliFault('local', `Expected checkpoints in ${file}, got none.`);
  return checkpoints;
};
