/** Signed checkpoints: what finds a cut end and a chain that was written anew, by whoever owns the store. */
import { Database } from 'bun:sqlite';
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditEntryText, NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import { openAdmin } from '@longarm/server/open-admin';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { openSession, type Session } from './session.ts';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(30_000);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const checkpointsOf = (server: TestServer) => join(server.dataFolder, 'audit-checkpoints.jsonl');

/** A server that has stopped once with something in its audit, and a copy of its checkpoints, as if kept elsewhere. */
const open = async () => {
  const server = await startTestServer();
  closing.push(server.stop);
  const session = await openSession({ openAdmin });
  closing.push(session.close);
  for (const name of ['a.sh', 'b.sh', 'c.sh']) await server.api.upload(name, name);
  await server.restart();
  const copy = join(server.dataFolder, 'copy.jsonl');
  await writeFile(copy, await readFile(checkpointsOf(server)));
  return { server, session, copy };
};
const verify = (server: TestServer, session: Session, ...argv: readonly string[]) =>
  session.bare('audit', 'verify', ...argv, '--data', server.dataFolder);

type Row = {
  seq: number;
  tenant_id: string;
  at: number;
  actor: string;
  event: string;
  subject: string;
  detail: string;
};

/** What somebody does who owns the store: all entries anew, as they like them, and the head with them. */
const forge = (server: TestServer, change: (rows: readonly Row[]) => readonly Row[]) => {
  const database = new Database(join(server.dataFolder, 'store.db'));
  const triggers = ['audit_is_not_changed', 'audit_is_not_deleted', 'audit_head_goes_on', 'audit_head_stays'];
  for (const trigger of triggers) database.run(`drop trigger ${trigger}`);
  const rows = change(database.query<Row, []>('select * from audit order by seq').all());
  database.run('delete from audit');
  let head = { seq: 0, hash: NO_AUDIT_HASH };
  for (const row of rows) {
    const entry = { ...row, seq: head.seq + 1, previous: head.hash };
    const text = auditEntryText({ ...entry, sequence: entry.seq, tenantId: entry.tenant_id });
    head = { seq: entry.seq, hash: createHash('sha256').update(text).digest('hex') };
    const { tenant_id, at, actor, event, subject, detail, previous } = entry;
    database.run(
      'insert into audit (seq, tenant_id, at, actor, event, subject, detail, previous, hash) values (?,?,?,?,?,?,?,?,?)',
      [entry.seq, tenant_id, at, actor, event, subject, detail, previous, head.hash],
    );
  }
  database.run('update audit_head set seq = ?, hash = ?', [head.seq, head.hash]);
  database.close();
};

test('a server that stops signs its audit, and adds the checkpoint to a file of its own', async () => {
  const { server, session, copy } = await open();
  expect((await stat(checkpointsOf(server))).mode & 0o777).toBe(0o600);
  const lines = (await readFile(copy, 'utf8')).trimEnd().split('\n');
  expect(lines.length).toBe(1);
  const checkpoint = JSON.parse(lines[0] ?? '');
  const exported = (await session.bare('audit', 'export', '--data', server.dataFolder)).out.trimEnd().split('\n');
  const entries = exported.map((line) => JSON.parse(line));
  expect(entries[checkpoint.sequence - 1]).toMatchObject({ hash: checkpoint.hash });
  expect(entries[checkpoint.sequence]).toMatchObject({ event: 'audit.checkpoint', actor: 'server' });
  expect(JSON.parse(entries[checkpoint.sequence].detail)).toEqual(checkpoint);
  expect(await verify(server, session, '--checkpoint', copy)).toMatchObject({ code: 0 });
  // nothing new, nothing to sign
  await server.restart();
  expect(await readFile(checkpointsOf(server), 'utf8')).toBe(`${lines[0]}\n`);
  await server.api.upload('d.sh', 'd');
  await server.restart();
  expect((await readFile(checkpointsOf(server), 'utf8')).split('\n').length).toBe(3);
  expect(await verify(server, session, '--checkpoint', checkpointsOf(server))).toMatchObject({ code: 0 });
});

test('an end that was cut off, its head with it, is found by a checkpoint kept elsewhere', async () => {
  const { server, session, copy } = await open();
  forge(server, (rows) => rows.slice(0, -3));
  expect(await verify(server, session)).toMatchObject({ code: 0 });
  const { code, err } = await verify(server, session, '--checkpoint', copy);
  expect(code).toBe(1);
  expect(err).toContain('it was cut off');
});

const renamed = (rows: readonly Row[]) =>
  rows.map((row) => (row.subject === 'b.sh' ? { ...row, subject: 'x.sh' } : row));

test('a chain that was written anew as a whole does not fit the checkpoints within it', async () => {
  const { server, session } = await open();
  forge(server, renamed);
  const { code, err } = await verify(server, session);
  expect(code).toBe(1);
  expect(err).toContain('what comes before was written anew');
});

test('and without those within it, it is found by the one that was kept elsewhere', async () => {
  const { server, session, copy } = await open();
  forge(server, (rows) => renamed(rows).filter(({ event }) => event !== 'audit.checkpoint'));
  expect(await verify(server, session)).toMatchObject({ code: 0 });
  const { code, err } = await verify(server, session, '--checkpoint', copy);
  expect(code).toBe(1);
  expect(err).toContain('kept elsewhere');
});

test('a checkpoint that is none proves nothing; half a line at the end of a copy is no fault', async () => {
  const { server, session, copy } = await open();
  await appendFile(copy, '{"sequence":');
  expect(await verify(server, session, '--checkpoint', copy)).toMatchObject({ code: 0 });
  const forged = (await readFile(copy, 'utf8')).replace(
    /"sequence":(\d+)/,
    (_, digits) => `"sequence":${Number(digits) - 1}`,
  );
  await writeFile(copy, forged);
  expect((await verify(server, session, '--checkpoint', copy)).err).toContain('Line 1 of');
  await writeFile(copy, '');
  expect((await verify(server, session, '--checkpoint', copy)).err).toContain('got none');
});

test('what a crash left of a line makes way for the next checkpoint', async () => {
  const { server, session } = await open();
  const before = await readFile(checkpointsOf(server), 'utf8');
  await appendFile(checkpointsOf(server), `{"sequence":12,"ha${'f'.repeat(800)}`);
  await server.api.upload('d.sh', 'd');
  await server.restart();
  const after = await readFile(checkpointsOf(server), 'utf8');
  expect([after.startsWith(before), after.endsWith('\n'), after.split('\n').length]).toEqual([true, true, 3]);
  expect(await verify(server, session, '--checkpoint', checkpointsOf(server))).toMatchObject({ code: 0 });
});
