/** `audit verify --store`: a copy of a database file is proven where it lies, and nothing about it changes. */
import { Database } from 'bun:sqlite';
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@longarm/server/open-admin';
import { startTestServer } from '@longarm/testkit/test-server';
import { openSession } from './session.ts';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(30_000);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server with something in its audit, and an empty folder for copies. */
const open = async () => {
  const server = await startTestServer();
  closing.push(server.stop);
  const session = await openSession({ openAdmin });
  closing.push(session.close);
  const folder = await mkdtemp(join(tmpdir(), 'longarm copy #1 '));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['a.sh', 'b.sh']) await server.api.upload(name, name);
  const verify = async (...argv: readonly string[]) => session.bare('audit', 'verify', '--json', ...argv);
  return { server, folder, store: join(server.dataFolder, 'store.db'), copy: join(folder, 'store.db'), verify };
};

/** What SQLite's own backup makes: one whole file, in the mode of the original. */
const backUp = (from: string, to: string) => {
  const database = new Database(from, { readonly: true });
  database.run('vacuum into ?', [to]);
  database.close();
  const copy = new Database(to);
  copy.run('pragma journal_mode = wal');
  copy.close();
};

test('a single file is proven to the same head, and neither changed nor given company', async () => {
  const { server, folder, store, copy, verify } = await open();
  backUp(store, copy);
  const bytes = await readFile(copy);
  // whoever would share or lock it needs a file of this name
  await mkdir(`${copy}-shm`);
  const proof = await verify('--store', copy);
  expect(proof.code).toBe(0);
  expect(JSON.parse(proof.out)).toEqual(JSON.parse((await verify('--data', server.dataFolder)).out));
  expect((await readdir(folder)).toSorted()).toEqual(['store.db', 'store.db-shm']);
  expect((await readFile(copy)).equals(bytes)).toBe(true);
});

test('a file of a server that was killed is proven with the log that lies beside it', async () => {
  const { server, store, copy, verify } = await open();
  await cp(store, copy);
  await cp(`${store}-wal`, `${copy}-wal`);
  expect(JSON.parse((await verify('--store', copy)).out)).toEqual(
    JSON.parse((await verify('--data', server.dataFolder)).out),
  );
});

test('the store of a running server is proven, and the server goes on writing meanwhile', async () => {
  const { server, store, verify } = await open();
  const proofs = Promise.all([verify('--store', store), verify('--store', store)]);
  for (const name of ['c.sh', 'd.sh']) expect((await server.api.upload(name, name)).status).toBe(200);
  for (const proof of await proofs) expect(proof.code).toBe(0);
});

test('a copy that was tampered with is named; what is no store, and both at once, are refused', async () => {
  const { server, folder, store, copy, verify } = await open();
  backUp(store, copy);
  const database = new Database(copy);
  database.run('drop trigger audit_is_not_changed');
  database.run("update audit set actor = 'nobody' where seq = 3");
  database.close();
  const { code, err } = await verify('--store', copy);
  expect([code, err.includes('broken at entry 3')]).toEqual([1, true]);
  const other = join(folder, 'other.db');
  await writeFile(other, 'this is no database, however long it may be');
  expect((await verify('--store', other)).err).toContain('Expected a copy of a store.db');
  expect((await verify('--store', join(folder, 'none.db'))).err).toContain('Expected a copy of a store.db');
  expect((await verify('--store', copy, '--data', server.dataFolder)).err).toContain('got both');
});
