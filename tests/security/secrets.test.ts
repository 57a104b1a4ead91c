/** A whole flow of real processes: no secret of it is in an argument, an environment or a log, and keys are their owner's. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFinal, openSite, runScript, type TestAgent, type TestSite } from '@longarm/testkit/test-site';

let site: TestSite;
let agent: TestAgent;
beforeAll(async () => {
  site = await openSite(['--log-level', 'debug']);
  agent = await site.agent();
});
afterAll(() => site.close());

const files = async (folder: string): Promise<readonly string[]> => {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

/** Argument lists and environments of the process and all that it started, as any program of the user could read them. */
const seenOf = async (pid: number): Promise<string> => {
  const own = await Promise.all(
    ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
  );
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const below = await Promise.all(
    children
      .split(' ')
      .filter((text) => text !== '')
      .map((text) => seenOf(Number(text))),
  );
  return [...own, ...below].join('\n');
};

/** What must not be seen: tokens, private keys, and seals, each as it is stored or sent. */
const secretsOf = async (): Promise<readonly string[]> => {
  const token = (await readFile(join(site.folder, 'token.txt'), 'utf8')).trim();
  const application = await site.admin.call('createApplication', { name: 'x', roles: ['Machine.Read.All'] });
  const keys: string[] = [];
  for (const path of [...(await files(agent.state)), ...(await files(join(site.folder, 'data')))]) {
    if (!/key|secret|seal/i.test(path)) continue;
    expect([path, ((await stat(path)).mode & 0o077).toString(8)]).toEqual([path, '0']);
    const bytes = await readFile(path);
    const lines = bytes
      .toString('latin1')
      .split('\n')
      .filter((line) => line.length >= 32 && !line.startsWith('-----'));
    keys.push(...lines, bytes.toString('hex'), bytes.toString('base64url'));
  }
  expect(keys.length).toBeGreaterThan(5);
  return [token.split('.')[2] ?? '', application.clientSecret, site.api.token, ...keys].filter(
    (text) => text.length >= 16,
  );
};

test('no secret is in an argument, an environment or a log, while a script runs either', async () => {
  await site.api.upload('show.sh', '#!/bin/sh\nenv\necho ready\nwhile [ ! -e go ]; do sleep 0.05; done\n');
  await site.api.upload('go', '');
  const { json } = await site.run(agent.machineId, [runScript('show.sh')]);
  await site.until(json.id, (action) => action.commands[0].commandStatus === 'Executing');
  const pids = [process.pid, site.server().pid, agent.program().pid];
  const seen = (await Promise.all(pids.slice(1).map(seenOf))).join('\n');
  expect(seen).toContain('longarm');
  const secrets = await secretsOf();
  const found = (text: string) => secrets.filter((secret) => text.includes(secret));
  expect(found(seen)).toEqual([]);
  await site.api.post(`/api/machineactions/${json.id}/cancel`, { Comment: 'seen enough' });
  await site.until(json.id, (action) => isFinal(action) && action.cancellationState === 'Effective');
  expect(found(site.server().output() + agent.program().output())).toEqual([]);
}, 30_000);

test('an agent says at its start whose it is', () => {
  const log = agent.program().output();
  expect(log).toContain(new URL(site.url).host);
  expect(log).toContain('--token-file');
});
