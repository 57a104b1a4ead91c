/**
 * Compiles the programs into single executables. Without arguments: for this machine, below dist/. For others:
 * `--all`, or `--target linux-x64` as often as wanted; `--out DIR` puts them elsewhere, `--program NAME` makes one only.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TARGETS, type Target } from '@longarm/contract/targets';
import { baseRuntime } from './build/base-runtime.ts';
import { compileProgram } from './build/compile-program.ts';
import { executableName, PROGRAM_NAMES, type ProgramName } from './build/targets.ts';
import { writeChecksums } from './build/write-checksums.ts';

const root = join(import.meta.dir, '..');
const cache = join(root, 'node_modules', '.cache', 'longarm-build');

type Wanted = {
  readonly targets: readonly (Target | null)[];
  readonly programs: readonly ProgramName[];
  readonly folder: string;
};

const oneOf = <T extends string>(known: readonly T[], option: string, text: string): T => {
  const found = known.find((name) => name === text);
  if (found === undefined) throw new Error(`--${option}: expected one of ${known.join(', ')}, got ${text}.`);
  return found;
};

const readWanted = (args: string[]): Wanted => {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean' },
      target: { type: 'string', multiple: true },
      program: { type: 'string', multiple: true },
      out: { type: 'string' },
    },
  });
  const named = values.target?.map((text) => oneOf(TARGETS, 'target', text));
  return {
    targets: values.all === true ? TARGETS : (named ?? [null]),
    programs: values.program?.map((text) => oneOf(PROGRAM_NAMES, 'program', text)) ?? PROGRAM_NAMES,
    folder: values.out ?? join(root, 'dist'),
  };
};

const build = async ({ targets, programs, folder }: Wanted): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const target of targets) {
    const runtime = await baseRuntime({ root, cache }, target);
    for (const program of programs) {
      const outFile = join(folder, executableName(program, target, process.platform));
      await compileProgram({ root, program, target, runtime, outFile });
      console.log(`${outFile}  ${(Bun.file(outFile).size / 1_048_576).toFixed(1)} MiB`);
    }
  }
  if (targets.some((target) => target !== null)) await writeChecksums(folder);
};

try {
  await build(readWanted(process.argv.slice(2)));
} catch (fault) {
  console.error(`build: ${fault instanceof Error ? fault.message : fault}`);
  process.exitCode = 1;
}
