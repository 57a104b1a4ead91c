/** Single values that the whole server shares, by name. */
import type { Kysely } from 'kysely';
import { firstOf, prepared } from './prepared.ts';
import type { Schema } from './schema.ts';

const select = prepared((db, given: { readonly name: string }) =>
  db.selectFrom('settings').select('value').where('name', '=', given.name),
);

/** The value, or null where there is none. */
export const readSetting = async (db: Kysely<Schema>, name: string): Promise<string | null> =>
  (await firstOf(select(db, { name })))?.value ?? null;
