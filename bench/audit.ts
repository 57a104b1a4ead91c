/**
 * What it costs to write the audit, and to prove it:
 *
 *   bun --no-install bench/audit.ts [entries]
 *
 * Writes a chain of so many entries (a million) by the store's own port, then proves it three ways, each by a process
 * of its own: the copied file, the data folder, and the folder of a running server through its socket. Prints entries
 * a second, the peak of the proving process, and by how much the server grew meanwhile.
 */
import { Database } from 'bun:sqlite';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '@longarm/server/data-folder';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { startProgram } from '@longarm/testkit/programs';

const MIB = 1_048_576;
const BATCH = 250;
const entries = Number(process.argv[2] ?? 1_000_000);
const longarm = join(import.meta.dir, '..', 'packages', 'longarm', 'src', 'main.ts');

const write = async (folder: string): Promise<number> => {
  const terms = { maxGetBytes: 1, maxOutputBytes: 1, stopOnNonzeroExit: false };
  const { store, tenant, close } = await openDataFolder({ path: folder, now: Date.now, terms, names: ['localhost'] });
  const start = performance.now();
  for (let done = 0; done < entries; done += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, entries - done) }, (_, place) => ({
      tenantId: tenant,
      at: Date.now(),
      actor: 'analyst@example.org',
      event: 'action.requested',
      subject: crypto.randomUUID(),
      origin: { address: '192.0.2.1', requestId: crypto.randomUUID() },
      detail: { machineId: 'a'.repeat(40), comment: `case ${done + place}`, commands: [{ type: 'GetFile' }] },
    }));
    await store.audit.append(batch);
  }
  const seconds = (performance.now() - start) / 1_000;
  await close();
  return entries / seconds;
};

const prove = async (...argv: readonly string[]) => {
  const start = performance.now();
  const command = [process.execPath, '--no-install', longarm, 'audit', 'verify', ...argv];
  const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'inherit'] });
  if ((await child.exited) !== 0) throw new Error(`the proof failed: ${await child.stdout.text()}`);
  const seconds = (performance.now() - start) / 1_000;
  const peak = Math.round((child.resourceUsage()?.maxRSS ?? 0) / MIB);
  return `${Math.round(entries / seconds)} entries/s (${seconds.toFixed(1)} s), peak ${peak} MiB`;
};

const folder = await mkdtemp(join(tmpdir(), 'longarm-bench-'));
try {
  console.log(`written in batches of ${BATCH}: ${Math.round(await write(folder))} entries/s`);
  const file = join(folder, 'store.db');
  const database = new Database(file);
  database.run('pragma wal_checkpoint(truncate)');
  database.close();
  console.log(`store: ${Math.round((await stat(file)).size / MIB)} MiB`);
  console.log(`proven as a file: ${await prove('--store', file)}`);
  console.log(`proven as a folder: ${await prove('--data', folder)}`);
  const args = ['server', '--data', folder, '--listen', '127.0.0.1:0', '--tls', 'off', '--log-level', 'warn'];
  const server = startProgram('longarm', args);
  await server.line(/^listening on http/m);
  const { result, growth } = await growthDuring([server.pid], () => prove('--data', folder));
  console.log(`proven through a server: ${result}; the server grew by ${Math.round((growth[0] ?? 0) / MIB)} MiB`);
  await server.end();
} finally {
  await rm(folder, { recursive: true, force: true });
}
