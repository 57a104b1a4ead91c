/**
 * What is left behind by many sequences on one device: memory of server and agent, and what lies on both disks:
 *
 *   bun --no-install bench/many-sequences.ts [sequences] | --quick
 *
 * Each sequence runs a script of one line and brings its output back. Prints a few lines after a tenth, a half and all, and how the
 * server's memory at the end is to that after half: 500 in less than a minute, 10,000 to see whether it goes on growing.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { residentBytes } from '@longarm/testkit/peak-memory';
import { isFinal, openSite, runScript, type TestAgent, type TestSite } from '@longarm/testkit/test-site';

const MIB = 1_048_576;
/** Requested at once; the device runs them one after another. */
const BATCH = 50;
const BATCH_MS = 60_000;
const sequences = process.argv.includes('--quick') ? 2 * BATCH : Number(process.argv[2] ?? 500);
const told = [sequences / 10, sequences / 2, sequences].map((count) => Math.ceil(count / BATCH) * BATCH);

/** Bytes of all files in the folder, and how many there are. What goes away meanwhile does not count. */
const folderSize = async (folder: string): Promise<{ readonly bytes: number; readonly files: number }> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await lstat(join(parentPath, name)).catch(() => null))?.size ?? 0),
  );
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: files.length };
};

const tell = async (site: TestSite, agent: TestAgent, done: number, perSecond: number): Promise<void> => {
  const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
  console.log(`after ${done}: ${perSecond.toFixed(0)} sequences a second`);
  console.log(`  server ${mib(residentBytes(site.server().pid))}, agent ${mib(residentBytes(agent.program().pid))}`);
  for (const [owner, folder] of [
    ['server', join(site.folder, 'data')],
    ['agent', agent.state],
  ] as const) {
    for (const { name } of (await readdir(folder, { withFileTypes: true })).toSorted((a, b) =>
      a.name.localeCompare(b.name),
    )) {
      const whole = await folderSize(join(folder, name));
      const bytes = whole.files > 0 ? whole.bytes : (await lstat(join(folder, name))).size;
      if (bytes > 16_384)
        console.log(`  ${owner}/${name}: ${mib(bytes)}${whole.files > 0 ? `, ${whole.files} files` : ''}`);
    }
  }
};

const runBatch = async (site: TestSite, agent: TestAgent): Promise<void> => {
  const actions = await Promise.all(
    Array.from({ length: BATCH }, () => site.run(agent.machineId, [runScript('one-line.sh')])),
  );
  for (const { json } of actions) {
    if (typeof json.id !== 'string') throw new Error(JSON.stringify(json));
    const action = await site.until(json.id, isFinal, BATCH_MS);
    if (action.status !== 'Succeeded') throw new Error(JSON.stringify(action));
  }
};

const site = await openSite(['--limit', `queued-per-machine=${2 * BATCH}`, '--limit', `sessions=${2 * BATCH}`]);
try {
  const agent = await site.agent();
  await site.api.upload('one-line.sh', 'echo "$LONGARM_ACTION_ID"\n');
  await tell(site, agent, 0, 0);
  let since = performance.now();
  let last = 0;
  let atHalf = 0;
  for (let done = BATCH; done <= Math.max(...told); done += BATCH) {
    await runBatch(site, agent);
    if (!told.includes(done)) continue;
    if (done === told[1]) atHalf = residentBytes(site.server().pid);
    await tell(site, agent, done, ((done - last) * 1_000) / (performance.now() - since));
    since = performance.now();
    last = done;
  }
  const ratio = residentBytes(site.server().pid) / atHalf;
  console.log(`ratio: ${ratio.toFixed(2)} of the server's memory after half of ${last}`);
} finally {
  await site.close();
}
