/**
 * The files of one output while it is written: its head in the spool file, and what follows in segments, of which the
 * last two are kept. Their names say where in the output they begin, so that a reader, and the next start of the
 * agent, need nothing but the folder.
 *
 *   spool          head, `headBytes`
 *   spool.tail-K   from headBytes + K × segmentBytes
 */
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { headBytesOf } from '@longarm/contract/cut-output';

export type Spool = { readonly path: string; readonly maxBytes: number };

export const headBytes = ({ maxBytes }: Spool): number => headBytesOf(maxBytes);

/** Length of a whole segment, and of the tail that is kept: two of them always hold it. */
export const segmentBytes = (spool: Spool): number => spool.maxBytes - headBytes(spool);

export const segmentPath = ({ path }: Pick<Spool, 'path'>, segment: number): string => `${path}.tail-${segment}`;

/** The segments that are there, in their order. */
export const segmentsOf = ({ path }: Pick<Spool, 'path'>): readonly number[] => {
  const prefix = `${basename(path)}.tail-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
};

/** Removes the output's file with all its segments; what has gone is fine. */
export const removeOutput = (path: string): void => {
  for (const segment of segmentsOf({ path })) rmSync(segmentPath({ path }, segment), { force: true });
  rmSync(path, { force: true });
};

/** Makes the outputs' files, empty, before anything runs. Throws when the disk refuses, and leaves none then. */
export const makeOutputs = (paths: readonly string[]): void => {
  try {
    for (const path of paths) {
      removeOutput(path);
      closeSync(openSync(path, 'w', 0o600));
    }
  } catch (fault) {
    for (const path of paths) rmSync(path, { force: true });
    throw fault;
  }
};
