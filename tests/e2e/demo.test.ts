/** The demo is the first thing that anybody runs: it works, says so, and leaves nothing running. */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

setDefaultTimeout(60_000);

const root = join(import.meta.dir, '..', '..');

test('npm run demo: a server, a device, a sequence, and a file whose hash is right', async () => {
  const demo = Bun.spawn([process.execPath, '--no-install', 'scripts/demo.ts'], {
    cwd: root,
    stdout: 'pipe',
    stderr: 'pipe',
    stdin: 'ignore',
  });
  const [output, errors, code] = await Promise.all([demo.stdout.text(), demo.stderr.text(), demo.exited]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toContain('Succeeded');
  const [, path = '', sha256 = ''] = /^saved (\S+report\.txt) .* sha256 ([0-9a-f]{64})$/m.exec(output) ?? [];
  expect(new Bun.CryptoHasher('sha256').update(await readFile(path)).digest('hex')).toBe(sha256);
  const [, folder = ''] =
    /^server at .* data in (\S+)\/server\/data$/m.exec(output.replace(/^.*✓.*? s {2}/gm, '')) ?? [];
  expect(folder).not.toBe('');
  const left = Bun.spawnSync(['pgrep', '-f', folder]).stdout.toString();
  expect(left).toBe('');
  await rm(folder, { recursive: true, force: true });
});
