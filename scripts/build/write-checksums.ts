/** `SHA256SUMS` beside the executables, in the form that `sha256sum -c` reads. */
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TARGETS } from '@longarm/contract/targets';
import { executableName, PROGRAM_NAMES } from './targets.ts';

const sha256 = async (path: string): Promise<string> => {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest('hex');
};

/** Covers every executable in the folder that carries a target in its name, whenever it was built. */
export const writeChecksums = async (folder: string): Promise<void> => {
  const names = PROGRAM_NAMES.flatMap((program) => TARGETS.map((target) => executableName(program, target, '')));
  const present = (await readdir(folder)).filter((name) => names.includes(name)).sort();
  const lines: string[] = [];
  for (const name of present) lines.push(`${await sha256(join(folder, name))}  ${name}\n`);
  await writeFile(join(folder, 'SHA256SUMS.new'), lines.join(''));
  await rename(join(folder, 'SHA256SUMS.new'), join(folder, 'SHA256SUMS'));
};
