/** The server's own authority is replaced while devices are connected, away for a while, and away for all of it. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuthorityDescription, AuthorityStep } from '@longarm/contract/admin/authority-operations';
import { TRUST_TYPE } from '@longarm/contract/wire/authorities';
import { openAdmin } from '@longarm/server/open-admin';
import { openHostileServer } from '@longarm/testkit/hostile-server';
import { until } from '@longarm/testkit/until';
import { seal, signingKey } from '../../packages/agent/test/sealed-envelope.ts';
import { openTlsSite, type TlsAgent, type TlsSite } from './fixtures/tls-site.ts';

setDefaultTimeout(240_000);

let site: TlsSite;
beforeEach(async () => {
  site = await openTlsSite();
});
afterEach(() => site.close());

const take = (step: AuthorityStep, evenIfDevicesAreLost = false) =>
  site.admin.call('changeAuthority', { step, evenIfDevicesAreLost });
const unaware = (agents: readonly TlsAgent[]) =>
  until(
    async () => (await site.admin.call('describeAuthority', {})).unawareMachines.map(({ id }) => String(id)).sort(),
    (ids) =>
      ids.join() ===
      agents
        .map(({ machineId }) => machineId)
        .sort()
        .join(),
    20_000,
  );
const certificatesOf = async (agent: TlsAgent): Promise<number> =>
  (await agent.identity()).caPem.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
const untilTrusts = (agent: TlsAgent, count: number) =>
  until(
    () => certificatesOf(agent),
    (is) => is === count,
    20_000,
  );

/** What the server shows to new connections is believed by the current authority alone, or by the next one alone. */
const untilShown = async (pem: string): Promise<void> => {
  const look = () =>
    fetch(site.url, { tls: { ca: pem }, keepalive: false }).then(
      () => true,
      () => false,
    );
  await until(look, (is) => is, 20_000);
};
const blocks = async (): Promise<readonly string[]> =>
  (await site.caPem()).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];

test('a whole rotation, with a crash of the server after each step: connected, away for a while, away for all of it', async () => {
  const [connected, back, away] = [await site.agent(), await site.agent(), await site.agent()];
  await Promise.all([back.kill(), away.kill()]);
  const olderToken = await site.newToken();
  const rotated = await take('rotate');
  expect(rotated.signer).toBe('current');
  await unaware([back, away]);
  expect(await certificatesOf(connected)).toBe(2);
  expect(connected.program().output()).toContain('is trusted by these authorities from now on');
  await site.killServer();
  await site.startServer();
  // who comes back while it goes on learns it then
  await back.start();
  await unaware([away]);
  const described: AuthorityDescription = await site.admin.call('describeAuthority', {});
  expect([described.machines, described.unaware, described.olderEnrolTokens > 0]).toEqual([3, 1, true]);
  const token = await site.newToken();
  expect(token.split('.')).toHaveLength(5);
  const before = await site.agent(token);
  expect(await certificatesOf(before)).toBe(2);
  // nobody is cut off without having been named
  await expect(take('switch')).rejects.toThrow(new RegExp(`1 device does not know .*\\(${away.machineId}\\)`));
  const [old = '', next = ''] = await blocks();
  await untilShown(old);
  await take('switch', true);
  await untilShown(next);
  await site.killServer();
  await site.startServer();
  await untilShown(next);
  // the same token, and the same file, after it
  const after = await site.agent(token);
  expect(await certificatesOf(after)).toBe(2);
  await until(
    async () => connected.program().output().split('connected as').length,
    (times) => times >= 4,
    80_000,
  );
  await expect(take('retire')).rejects.toThrow('1 device does not know');
  const retired = await take('retire', true);
  expect([retired.next, retired.current.sha256]).toEqual([null, rotated.next?.sha256 as never]);
  for (const agent of [connected, back, before, after]) await untilTrusts(agent, 1);
  await site.killServer();
  await site.startServer();
  for (const agent of [connected, back]) {
    await agent.kill();
    await agent.start();
    expect((await agent.identity()).caPem).toBe(next);
  }
  // away for all of it: said clearly, and another enrolment from the same place takes over
  const told = away.begin();
  await told.line(/not connected reason=.*replaced its authority while this device was away: then enrol it anew/);
  await away.kill();
  await rm(away.state, { recursive: true });
  await mkdir(away.state, { mode: 0o700 });
  await writeFile(`${away.state}.token`, olderToken);
  // a token from before names an authority that is no more
  expect(await away.begin().ended).toBe(1);
  expect(away.program().output()).toContain('older than its authority: ask for a new one');
  await writeFile(`${away.state}.token`, await site.newToken());
  await away.start();
  expect((await away.identity()).machineId).not.toBe(away.machineId);
  await unaware([]);
  const { entries } = await site.admin.call('readAudit', { after: 0 });
  const events = entries.filter(({ event }) => event.startsWith('authority.'));
  expect(events.map(({ event, detail }) => [event, JSON.parse(detail).devicesCutOff])).toEqual([
    ['authority.rotate', 0],
    ['authority.switch', 1],
    ['authority.retire', 1],
  ]);
});

const PRELOAD = join(import.meta.dir, 'fixtures/crash-at-step.ts');
/** LONGARM_FULL=1 takes all of them. */
const STEPS = [
  ...(process.env.LONGARM_FULL === '1' ? ['before handling trust', 'after sending trust-kept '] : []),
  'before the rename to identity.json',
  'after the rename to identity.json',
  'before sending trust-kept ',
];

test('kill -9 of an agent at each step of learning: it comes back, and has learned', async () => {
  const crashFolder = join(site.folder, 'crash');
  await mkdir(crashFolder);
  const options = { preload: PRELOAD, env: { CRASH_FOLDER: crashFolder } };
  const agent = await site.agent(undefined, options);
  for (const step of STEPS) {
    await agent.kill();
    await writeFile(join(crashFolder, 'crash-at'), step);
    await take('rotate');
    expect([step, await agent.begin(options).ended]).toEqual([step, 'SIGKILL']);
    await agent.start(options);
    await unaware([]);
    expect([step, await certificatesOf(agent)]).toEqual([step, 2]);
    await take('abandon');
    await untilTrusts(agent, 1);
  }
});

test('a server that was restored from before the rotation: devices take its word again, and the next rotation works', async () => {
  const agent = await site.agent();
  await site.killServer();
  await site.backUp('backup');
  await site.startServer();
  await take('rotate');
  await unaware([]);
  await site.killServer();
  await site.restore('backup');
  await site.startServer();
  // it trusts both, so it is back; and forgets the lost one when the administrator has said what happened
  await agent.kill();
  await agent.start();
  const admin = await openAdmin(site.data);
  await admin.call('declareRestored', {});
  await untilTrusts(agent, 1);
  await take('rotate');
  await unaware([]);
  await take('switch');
  await take('retire');
  await untilTrusts(agent, 1);
  await agent.kill();
  await agent.start();
});

test('who ends TLS on the way, with the server’s own certificate even, cannot push an authority', async () => {
  const agent = await site.agent();
  const before = await readFile(join(agent.state, 'identity.json'), 'utf8');
  const pem = await readFile(join(site.data, 'tls', 'server.pem'), 'utf8');
  const ca = await site.caPem();
  await site.killServer();
  const port = Number(new URL(site.url).port);
  const hostile = openHostileServer({ port, tls: { cert: `${pem.split('-----BEGIN PRIVATE')[0]}${ca}`, key: pem } });
  try {
    await hostile.untilWelcomed(1);
    const { privateKey } = signingKey();
    const payload = { version: 1, audience: JSON.parse(before).audience, serial: Date.now(), authorities: [ca] };
    const statement = seal(payload, privateKey, { alg: 'EdDSA', typ: TRUST_TYPE });
    hostile.send(JSON.stringify({ type: 'trust', statement }));
    await agent.program().line(/a statement of trust was not believed reason="?it is not signed by the key/);
    expect(await readFile(join(agent.state, 'identity.json'), 'utf8')).toBe(before);
  } finally {
    await hostile.stop();
  }
});
