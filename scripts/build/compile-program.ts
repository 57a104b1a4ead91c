/** One program, compiled into one executable. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAMS, type ProgramName } from './targets.ts';

const FLAGS = [
  '--compile',
  // a compiled program would otherwise read .env and run bunfig.toml preloads of the folder that it is started in
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
  // traces of errors name our files and lines
  '--sourcemap=inline',
] as const;

export type Compilation = {
  readonly root: string;
  readonly program: ProgramName;
  /** `linux-x64` and the like; null for this machine. */
  readonly target: string | null;
  /** Path of the runtime that it stands on. */
  readonly runtime: string;
  /** Absolute. */
  readonly outFile: string;
};

/** Throws when the compiler refuses; it says why on stderr. */
export const compileProgram = async ({ root, program, target, runtime, outFile }: Compilation): Promise<void> => {
  const command = [
    process.execPath,
    'build',
    ...FLAGS,
    ...(target === null ? [] : [`--target=bun-${target}`]),
    `--compile-executable-path=${runtime}`,
    join(root, PROGRAMS[program]),
    `--outfile=${outFile}`,
  ];
  const child = Bun.spawn(command, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if ((await child.exited) !== 0) throw new Error(`${outFile}: expected ${PROGRAMS[program]} to compile, it did not.`);
  // the map is inside the executable; a copy beside it is of no use
  await rm(`${outFile}.map`, { force: true });
};
