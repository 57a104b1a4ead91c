/** Second factors of people in the store: the app's secret, security keys, and hashes of recovery codes. */
import type { Kysely, Selectable } from 'kysely';
import type {
  Factor,
  FactorAdded,
  Proven,
  SecondFactorStore,
  SecurityKeyRecord,
} from '../../auth/second-factor-ports.ts';
import type { PersonRow, Schema, SecurityKeyRow } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

/** Of one person. */
const MOST_KEYS = 20;

const keyRecord = (row: Selectable<SecurityKeyRow>): SecurityKeyRecord => ({
  id: row.id,
  personId: row.person_id,
  name: row.name,
  publicKey: row.public_key,
  counter: Number(row.counter),
  transports: JSON.parse(row.transports) as string[],
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

const personOf = (db: Kysely<Schema>, id: string) =>
  db.selectFrom('people').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

const keysOf = async (db: Kysely<Schema>, personId: string): Promise<readonly SecurityKeyRecord[]> => {
  const rows = db.selectFrom('security_keys').selectAll().where('person_id', '=', personId);
  return (await rows.orderBy('created_at').orderBy('id').execute()).map(keyRecord);
};

type Told = {
  readonly event: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly at: number;
};

/** Factors are the person's own affair: they are who did it. */
const tell = (db: Kysely<Schema>, person: Selectable<PersonRow>, { event, detail = {}, at }: Told) =>
  writeAudit(db, {
    tenantId: person.tenant_id,
    actor: person.name,
    at,
    event: `person.${event}`,
    subject: person.id,
    detail,
  });

const countFactors = async (db: Kysely<Schema>, person: Selectable<PersonRow>): Promise<number> =>
  (await keysOf(db, person.id)).length + (person.totp_secret === null ? 0 : 1);

const setRecoveryCodes = (db: Kysely<Schema>, id: string, hashes: readonly string[]) =>
  db
    .updateTable('people')
    .set({ recovery_sha256: JSON.stringify(hashes) })
    .where('id', '=', id)
    .execute();

type KeyProof = { readonly proven: Proven; readonly recoverySha256: readonly string[] };

const insertKey = async (db: Kysely<Schema>, key: SecurityKeyRecord): Promise<boolean> => {
  const added = await db
    .insertInto('security_keys')
    .values({
      id: key.id,
      person_id: key.personId,
      name: key.name,
      public_key: key.publicKey,
      counter: key.counter,
      transports: JSON.stringify(key.transports),
      created_at: key.createdAt,
      last_used_at: key.lastUsedAt,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return added !== undefined;
};

const addKey =
  (db: Kysely<Schema>, now: number) =>
  async (key: SecurityKeyRecord, { proven, recoverySha256 }: KeyProof): Promise<FactorAdded> => {
    const person = await personOf(db, key.personId);
    const before = await countFactors(db, person);
    if (before > 0 && proven === 'password') return 'needs proof';
    if ((await keysOf(db, key.personId)).length >= MOST_KEYS) return 'too many';
    if (!(await insertKey(db, key))) return 'known';
    await tell(db, person, { event: 'security-key-added', detail: { key: key.name }, at: now });
    if (before > 0) return 'further';
    await setRecoveryCodes(db, person.id, recoverySha256);
    return 'first';
  };

/** A key that counts nothing says 0 for ever; one that counts has to have counted on. */
const keyUsed = async (
  db: Kysely<Schema>,
  { id, counter }: Pick<SecurityKeyRecord, 'id' | 'counter'>,
  now: number,
): Promise<boolean> => {
  const used = await db
    .updateTable('security_keys')
    .set({ counter, last_used_at: now })
    .where('id', '=', id)
    .where((eb) => (counter === 0 ? eb('counter', '=', 0) : eb('counter', '<', counter)))
    .returning('id')
    .executeTakeFirst();
  if (used !== undefined) return true;
  const key = await db.selectFrom('security_keys').selectAll().where('id', '=', id).executeTakeFirst();
  if (key === undefined) return false;
  const detail = { key: key.name, counter, lastCounter: Number(key.counter) };
  await tell(db, await personOf(db, key.person_id), { event: 'security-key-counter-fell', detail, at: now });
  return false;
};

const setApp =
  (db: Kysely<Schema>, now: number) =>
  async (app: Parameters<SecondFactorStore['setApp']>[0], proven: Proven): Promise<FactorAdded> => {
    const person = await personOf(db, app.personId);
    const before = await countFactors(db, person);
    if (before > 0 && proven === 'password') return 'needs proof';
    const values = { totp_secret: app.totpSecret, totp_step: app.step };
    await db.updateTable('people').set(values).where('id', '=', person.id).execute();
    await setRecoveryCodes(db, person.id, app.recoverySha256);
    await tell(db, person, { event: 'second-factor-set', at: now });
    return before === 0 ? 'first' : 'further';
  };

const dropFactor = async (db: Kysely<Schema>, personId: string, factor: Factor): Promise<string> => {
  if (factor.kind === 'app') {
    const nothing = { totp_secret: null, totp_step: null };
    await db.updateTable('people').set(nothing).where('id', '=', personId).execute();
    return 'authenticator app';
  }
  const removed = await db
    .deleteFrom('security_keys')
    .where('id', '=', factor.id)
    .returning('name')
    .executeTakeFirstOrThrow();
  return removed.name;
};

const removeFactor =
  (db: Kysely<Schema>, now: number) =>
  async (
    { personId, keepsOne }: { readonly personId: string; readonly keepsOne: boolean },
    factor: Factor,
  ): Promise<'removed' | 'unknown' | 'last'> => {
    const person = await personOf(db, personId);
    const keys = await keysOf(db, personId);
    const isThere = factor.kind === 'app' ? person.totp_secret !== null : keys.some(({ id }) => id === factor.id);
    if (!isThere) return 'unknown';
    const left = (await countFactors(db, person)) - 1;
    if (left === 0 && keepsOne) return 'last';
    const key = await dropFactor(db, personId, factor);
    if (left === 0) await setRecoveryCodes(db, personId, []);
    await tell(db, person, { event: 'second-factor-removed', detail: { factor: key, left }, at: now });
    return 'removed';
  };

const useTotpStep = async (db: Kysely<Schema>, id: string, step: number): Promise<boolean> => {
  const used = await db
    .updateTable('people')
    .set({ totp_step: step })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('totp_step', 'is', null), eb('totp_step', '<', step)]))
    .returning('id')
    .executeTakeFirst();
  return used !== undefined;
};

const useRecoveryCode =
  (db: Kysely<Schema>, now: number) =>
  async (id: string, sha256: string): Promise<boolean> => {
    const person = await personOf(db, id);
    const left = JSON.parse(person.recovery_sha256) as string[];
    if (!left.includes(sha256)) return false;
    const rest = left.filter((known) => known !== sha256);
    await setRecoveryCodes(db, id, rest);
    await tell(db, person, { event: 'recovery-code-used', detail: { left: rest.length }, at: now });
    return true;
  };

export const secondFactorStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): SecondFactorStore => ({
  keysOf: (personId) => keysOf(reader, personId),
  addKey: (key, by, now) => units.run((db) => addKey(db, now)(key, by)),
  keyUsed: (key, now) => units.run((db) => keyUsed(db, key, now)),
  setApp: (app, proven, now) => units.run((db) => setApp(db, now)(app, proven)),
  removeFactor: (of, factor, now) => units.run((db) => removeFactor(db, now)(of, factor)),
  useTotpStep: (id, step) => units.run((db) => useTotpStep(db, id, step)),
  useRecoveryCode: (id, sha256, now) => units.run((db) => useRecoveryCode(db, now)(id, sha256)),
});
