// Everything but the tests that a change has to pass, each step by name. Ends with one line: N passed, N failed.
import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const bun = process.execPath;
const program = (name: string): string => join(root, 'node_modules', '.bin', name);

/** What is run; a step has passed when it exits with 0. Its output is shown when it has not. */
const STEPS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: [program('tsc'), '-p', '.'] },
  { name: 'lint and format', command: [program('biome'), 'check', '--error-on-warnings', '--max-diagnostics=100'] },
  { name: 'nothing unused', command: [program('knip'), '--no-progress', '--no-config-hints'] },
  { name: 'generated files', command: [bun, '--no-install', 'scripts/generate.ts', '--check'] },
  { name: 'import law and bars', command: [bun, '--no-install', 'test', './tests/arch.test.ts'] },
];

let failed = 0;
for (const { name, command } of STEPS) {
  const start = performance.now();
  const child = Bun.spawn([...command], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'failed'} ${name} (${seconds} s)`);
  if (status === 0) continue;
  failed++;
  console.log(`${output}${errors}`.trimEnd().replace(/^/gm, '       '));
}
console.log(`${STEPS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
