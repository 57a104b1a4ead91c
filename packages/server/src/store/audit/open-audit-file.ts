/**
 * The audit of a copy of a database file, read and nothing else: no migration, no lock, no file beside it, so that a
 * copy on a read-only medium can be proven. Where a write-ahead log lies beside the copy it is read too, which takes
 * SQLite's own shared lock and a `-shm` file.
 */
import { constants, Database } from 'bun:sqlite';
import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Refusal } from '@longarm/contract/errors';
import { Kysely } from 'kysely';
import type { AuditStore } from '../../audit/ports.ts';
import { bunSqliteDialect } from '../bun-sqlite-dialect.ts';
import type { Schema } from '../schema.ts';
import { readAuditPage } from './audit-store.ts';

export type AuditFile = Pick<AuditStore, 'page'> & { readonly close: () => Promise<void> };

const hasLog = async (file: string): Promise<boolean> => {
  const log = await stat(`${file}-wal`).catch(() => null);
  return log !== null && log.size > 0;
};

const openDatabase = async (file: string): Promise<Database> => {
  if (await hasLog(file)) return new Database(file, { readonly: true, strict: true });
  // https://sqlite.org/uri.html: nobody changes the file, so there is nothing to lock
  return new Database(
    `${pathToFileURL(file).href}?immutable=1`,
    constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  );
};

/** Throws Refusal with a sentence where the file is not there, or holds no audit that is a chain. */
export const openAuditFile = async (file: string): Promise<AuditFile> => {
  const refusal = (fault: unknown) =>
    new Refusal(
      'BadRequest',
      `Expected a copy of a store.db that can be read in ${file}, got ${fault instanceof Error ? fault.message : String(fault)}.`,
    );
  try {
    const reader = new Kysely<Schema>({ dialect: bunSqliteDialect(await openDatabase(file)) });
    await readAuditPage(reader, Number.MAX_SAFE_INTEGER);
    return { page: (after) => readAuditPage(reader, after), close: () => reader.destroy() };
  } catch (fault) {
    throw refusal(fault);
  }
};
