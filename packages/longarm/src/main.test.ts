import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { takenOver } from './taken-over.ts';

const PROGRAM = join(import.meta.dir, '..', 'bin', 'longarm');

const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const child = Bun.spawn([PROGRAM, ...args], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
};

test('one program is the server and the command line', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
  expect(await run(['server', '--help'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('--listen HOST:PORT'),
  });
  expect(await run(['machines'])).toMatchObject({ code: 2, out: '', err: expect.stringContaining('longarm login') });
});

test('all of a long answer leaves before the program ends', async () => {
  const { out } = await run(['run', '--help']);
  expect(out.trimEnd()).toEndWith('LONGARM_CA (a file).');
});

test('it does not start where the runtime would be taken over', async () => {
  const { code, out, err } = await run(['--version'], { BUN_OPTIONS: '--smol' });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('BUN_OPTIONS must not be set');
  expect(takenOver({ BUN_BE_BUN: '1' })).toContain('BUN_BE_BUN');
  expect(takenOver({ PATH: '/bin' })).toBeNull();
});
