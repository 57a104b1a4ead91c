/** A server that starts on a store that lost what was signed of its audit says so. */
import { Database } from 'bun:sqlite';
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@longarm/server/config';
import { startServer } from '@longarm/server/start';
import { openLog } from '@longarm/server/telemetry/log';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(30_000);

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Starts on the folder and stops; what was said as an error meanwhile. */
const startOnce = async (folder: string): Promise<string> => {
  const said: string[] = [];
  const log = { ...openLog('silent'), error: (...about: readonly unknown[]) => void said.push(JSON.stringify(about)) };
  const config = readConfig(['--data', folder, '--listen', '127.0.0.1:0', '--tls', 'off'], {});
  const server = await startServer(config, log);
  await server.stop();
  return said.join('\n');
};

test('of an audit that was cut; of one that is whole nothing, whatever a crash left of a line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-test-'));
  folders.push(folder);
  expect(await startOnce(folder)).toBe('');
  await appendFile(join(folder, 'audit-checkpoints.jsonl'), '{"sequence":9');
  expect(await startOnce(folder)).toBe('');
  const database = new Database(join(folder, 'store.db'));
  for (const trigger of ['audit_is_not_deleted', 'audit_head_goes_on']) database.run(`drop trigger ${trigger}`);
  database.run('delete from audit');
  database.run("update audit_head set seq = 0, hash = 'gone'");
  database.close();
  expect(await startOnce(folder)).toContain('THE AUDIT does not hold an entry that it signed');
});
