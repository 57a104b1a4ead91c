import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { Kysely } from 'kysely';
import { bunSqliteDialect } from '../bun-sqlite-dialect.ts';
import { firstMigration } from './0001-first.ts';
import { callersMigration } from './0006-callers.ts';

test('an application keeps the secret that it had, without an end, and the one grant that there was', async () => {
  const database = new Database(':memory:', { strict: true });
  database.run('pragma foreign_keys = on');
  const db = new Kysely<unknown>({ dialect: bunSqliteDialect(database) });
  await firstMigration('integer').up(db);
  database.run("insert into tenants (id, name, created_at) values ('t', 'default', 1)");
  database.run(
    "insert into applications (id, tenant_id, name, secret_sha256, roles, created_at) values ('a', 't', 'soar', 'hash', '[]', 7)",
  );
  await callersMigration.up(db);
  expect(database.query('select * from application_secrets').all()).toEqual([
    { id: 'first-a', application_id: 'a', secret_sha256: 'hash', created_at: 7, expires_at: null, last_used_at: null },
  ]);
  expect(database.query('select grants, scopes, is_native from applications').all()).toEqual([
    { grants: '["client_credentials"]', scopes: '[]', is_native: 0 },
  ]);
  database.run("delete from applications where id = 'a'");
  expect(database.query('select count(*) as count from application_secrets').all()).toEqual([{ count: 0 }]);
  await db.destroy();
});
