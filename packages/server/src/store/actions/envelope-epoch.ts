/** The epoch of envelopes: part of what a backup restores, so it is raised after that (semantics 30). */
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { readSetting } from '../settings.ts';

const NAME = 'envelope-epoch';

/** 0 until it is raised. */
export const envelopeEpoch = async (db: Kysely<Schema>): Promise<number> => Number((await readSetting(db, NAME)) ?? 0);

/** Gives the new one. */
export const raiseEnvelopeEpoch = async (db: Kysely<Schema>): Promise<number> => {
  const epoch = (await envelopeEpoch(db)) + 1;
  await db
    .insertInto('settings')
    .values({ name: NAME, value: String(epoch) })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: String(epoch) }))
    .execute();
  return epoch;
};
