/** The audit of a real server, proven, listed and exported by the command line. */
import { Database } from 'bun:sqlite';
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { openAdmin } from '@longarm/server/open-admin';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { openSession, type Session } from './session.ts';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(30_000);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const open = async (): Promise<{ readonly server: TestServer; readonly session: Session }> => {
  const server = await startTestServer();
  closing.push(server.stop);
  const session = await openSession({ openAdmin });
  closing.push(session.close);
  return { server, session };
};
const audit = (server: TestServer, session: Session, ...argv: readonly string[]) =>
  session.bare('audit', ...argv, '--data', server.dataFolder);

/** What somebody does who has the file, and no respect. */
const tamper = (server: TestServer, ...statements: readonly string[]) => {
  const database = new Database(join(server.dataFolder, 'store.db'));
  try {
    for (const statement of statements) database.run(statement);
  } finally {
    database.close();
  }
};
const UNGUARDED = ['drop trigger audit_is_not_changed', 'drop trigger audit_is_not_deleted'];

const runAction = async (server: TestServer) => {
  await server.api.upload('s.sh', 'x');
  const device = await server.device();
  const commands = [{ type: 'PutFile', params: [{ key: 'FileName', value: 's.sh' }] }];
  await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: commands });
  const { actionId } = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId });
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Completed',
    errors: [],
    exitCode: null,
    results: [],
  });
};

test('a whole action is in the chain, which is proven, listed and exported', async () => {
  const { server, session } = await open();
  await runAction(server);
  const { code, out } = await audit(server, session, 'verify', '--json');
  const proof = JSON.parse(out);
  expect([code, proof.intact, proof.broken]).toEqual([0, true, null]);
  const lines = (await audit(server, session, 'export')).out.trimEnd().split('\n');
  expect(lines.length).toBe(proof.entries);
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ event: 'action.Succeeded', hash: proof.head });
  const listed = await audit(server, session, 'list', '--top', '2');
  expect(listed.out.trimEnd().split('\n').length).toBe(3);
  expect(listed.out).toContain('action.Succeeded');
  expect((await audit(server, session, 'list')).out).toContain('127.0.0.1');
  const syslog = (await audit(server, session, 'export', '--format', 'syslog')).out;
  expect(syslog).toMatch(/^<109>1 \S+Z - longarm - audit \[longarm@32473 sequence="1" actor="server" /);
  expect(syslog).toMatch(/event="action.requested" subject="[^"]+" address="127.0.0.1" request="[0-9a-f-]{36}" /);
  expect((await audit(server, session, 'export', '--from', '2100-01-01')).out).toBe('');
  expect((await audit(server, session, 'verify', '--head', proof.head)).code).toBe(0);
  expect((await audit(server, session, 'verify', '--head', 'f'.repeat(64))).code).toBe(1);
});

test('the database refuses to change the audit, and the chain names whoever makes it', async () => {
  const { server, session } = await open();
  expect(() => tamper(server, "update audit set actor = 'nobody' where seq = 2")).toThrow('append-only');
  expect(() => tamper(server, 'delete from audit where seq = 2')).toThrow('append-only');
  expect(() => tamper(server, 'update audit_head set seq = 1')).toThrow('cannot go back');
  tamper(server, ...UNGUARDED, "update audit set actor = 'nobody' where seq = 2");
  const { code, err } = await audit(server, session, 'verify');
  expect(code).toBe(1);
  expect(err).toContain('broken at entry 2: its content');
});

test('units that race and a proof that runs meanwhile agree on one chain', async () => {
  const { server, session } = await open();
  const uploads = Array.from({ length: 40 }, (_, at) => server.api.upload(`s${at}.sh`, 'x'));
  const proofs = Array.from({ length: 5 }, () => audit(server, session, 'verify'));
  await Promise.all(uploads);
  for (const proof of proofs) expect((await proof).code).toBe(0);
  const { out } = await audit(server, session, 'verify', '--json');
  expect(JSON.parse(out).entries).toBeGreaterThan(40);
});

test('a chain goes on after a restart where it ended', async () => {
  const { server, session } = await open();
  await runAction(server);
  const before = JSON.parse((await audit(server, session, 'verify', '--json')).out);
  await server.restart();
  const after = JSON.parse((await audit(server, session, 'verify', '--json', '--head', before.head)).out);
  expect(after.intact).toBe(true);
});
