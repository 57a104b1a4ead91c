/** Secrets come by file, standard input or prompt, never as an argument (semantics 33). */
import { readFile } from 'node:fs/promises';
import { usageFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';

/** Editors and `echo` end a file with a line break that is no part of the secret. */
const withoutLineEnd = (text: string, from: string): string => {
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw usageFault(`Expected a secret from ${from}, got nothing.`);
  return secret;
};

export const readSecretFile = async (path: string): Promise<string> =>
  withoutLineEnd(await readFile(path, 'utf8'), path);

export const readSecretStdin = async (io: Io): Promise<string> => withoutLineEnd(await io.stdin(), 'standard input');

export const askSecret = async (io: Io): Promise<string> => {
  const answer = io.isTty ? await io.promptSecret('Client secret') : null;
  if (answer === null || answer === '') {
    throw usageFault('Expected a client secret, got none.', 'Give it by --secret-file FILE or --secret-stdin.');
  }
  return answer;
};
