// Runs all tests, or those whose paths the arguments name, and ends with one line: N passed, N failed.
// A file that does not load, and a run that ends before its time, count as failed: silence is no success.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dir, '..');
/** A run that takes longer than this hangs: it is ended and has failed. */
const LONGEST_RUN_MINUTES = 20;
/** A test that takes longer hangs. Generous: how long it takes is the machine's affair, and none is judged by it. */
const LONGEST_TEST_SECONDS = 30;

type Tally = { readonly passed: number; readonly failed: number };

/** Test files below the given folders or files, relative to the root. */
const testFiles = async (places: readonly string[]): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const pattern of ['packages/*/{src,test}/**/*.test.{ts,tsx}', 'tests/**/*.test.ts']) {
    for await (const path of new Bun.Glob(pattern).scan({ cwd: root })) found.push(path);
  }
  const wanted = places.map((place) => relative(root, join(process.cwd(), place)));
  return found.filter((path) => wanted.length === 0 || wanted.some((place) => path.startsWith(place))).sort();
};

const attribute = (element: string, name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1] ?? '';

/** Counts a JUnit report; `files` that it does not mention did not load, or hold no test. */
const tally = (report: string, files: readonly string[]): Tally => {
  const suites = report.match(/<testsuite [^>]*>/g) ?? [];
  const told = new Set(suites.map((suite) => attribute(suite, 'file')));
  const lost = files.filter((file) => !told.has(file));
  for (const file of lost) console.log(`did not load, or holds no test: ${file}`);
  const total = report.match(/<testsuites [^>]*>/)?.[0] ?? '';
  const [tests, failures, skipped] = ['tests', 'failures', 'skipped'].map((name) => Number(attribute(total, name)));
  const failed = failures ?? 0;
  return { passed: (tests ?? 0) - failed - (skipped ?? 0), failed: failed + lost.length };
};

const run = async (files: readonly string[], reportFile: string): Promise<Tally> => {
  const flags = [
    `--parallel=${availableParallelism()}`,
    `--timeout=${LONGEST_TEST_SECONDS * 1_000}`,
    '--only-failures',
    '--reporter=junit',
    `--reporter-outfile=${reportFile}`,
  ];
  const child = Bun.spawn([process.execPath, '--no-install', 'test', ...flags, ...files.map((file) => `./${file}`)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LONGEST_RUN_MINUTES * 60_000,
    killSignal: 'SIGKILL',
  });
  const status = await child.exited;
  const report = Bun.file(reportFile);
  const { passed, failed } = tally((await report.exists()) ? await report.text() : '', files);
  // an error that belongs to no test still fails the run
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed };
};

const places = process.argv.slice(2);
const files = await testFiles(places);
const folder = await mkdtemp(join(tmpdir(), 'longarm-test-'));
try {
  if (files.length === 0) console.log(`no test files below ${places.join(', ')}`);
  // handed no file, the runner would take every one
  const { passed, failed } =
    files.length === 0 ? { passed: 0, failed: 1 } : await run(files, join(folder, 'junit.xml'));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}
