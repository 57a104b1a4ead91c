/** Texts that are tried every time: those that once broke something, and those that nearly did. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dir, 'corpus');

/** A JSON list of texts for each target that has any. */
export const corpusOf = async (target: string): Promise<readonly string[]> => {
  const names = await readdir(FOLDER);
  if (!names.includes(`${target}.json`)) return [];
  const texts: unknown = JSON.parse(await readFile(join(FOLDER, `${target}.json`), 'utf8'));
  if (!Array.isArray(texts)) throw new Error(`expected a list of texts in ${target}.json`);
  return texts.map(String);
};
