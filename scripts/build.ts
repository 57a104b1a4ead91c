// Compiles the programs into single executables for this machine, below dist/.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const suffix = process.platform === 'win32' ? '.exe' : '';

const PROGRAMS = [
  { name: 'longarm', main: 'packages/longarm/src/main.ts' },
  { name: 'longarm-agent', main: 'packages/agent/src/main.ts' },
] as const;

const FLAGS = [
  '--compile',
  // a compiled program would otherwise read .env and run bunfig.toml preloads of the folder that it is started in
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
  // traces of errors name our files and lines
  '--sourcemap=inline',
] as const;

const compile = async (main: string, outFile: string): Promise<boolean> => {
  const child = Bun.spawn([process.execPath, 'build', ...FLAGS, main, `--outfile=${outFile}`], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return (await child.exited) === 0;
};

await mkdir(join(root, 'dist'), { recursive: true });
let failed = 0;
for (const { name, main } of PROGRAMS) {
  const outFile = join('dist', name + suffix);
  if (existsSync(join(root, main)) && (await compile(main, outFile))) {
    console.log(`${outFile}  ${(Bun.file(join(root, outFile)).size / 1_048_576).toFixed(1)} MiB`);
  } else {
    failed++;
    console.error(`${outFile}: expected ${main} to compile, it did not.`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
