/** People in the store. Names are found in any case. */
import type { PersonRole } from '@longarm/contract/permission';
import type { Kysely, Selectable } from 'kysely';
import type { Change } from '../../auth/change.ts';
import type { NewPerson, PeopleStore, PersonRecord, PersonSettings, SetUp } from '../../auth/people-ports.ts';
import type { PersonRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

const keyOf = (name: string): string => name.trim().toLowerCase();

const personRecord = (row: Selectable<PersonRow>): PersonRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  name: row.name,
  displayName: row.display_name,
  passwordHash: row.password_hash,
  // written by this store from parsed names
  roles: JSON.parse(row.roles) as PersonRole[],
  deviceGroups: row.device_groups === null ? 'all' : (JSON.parse(row.device_groups) as string[]),
  disabled: row.disabled === 1,
  createdAt: row.created_at,
  totpSecret: row.totp_secret,
  secondFactorRequired: row.second_factor_required === 1,
  lastSignInAt: row.last_sign_in_at,
});

const recordOrNull = (row: Selectable<PersonRow> | undefined) => (row === undefined ? null : personRecord(row));

type Told = { readonly event: string; readonly subject: string; readonly detail?: Readonly<Record<string, unknown>> };

const tell = (db: Kysely<Schema>, { tenantId, actor, now }: Change, told: Told) =>
  writeAudit(db, { tenantId, actor, at: now, ...told, event: `person.${told.event}` });

const groupsText = (groups: PersonRecord['deviceGroups']) => (groups === 'all' ? null : JSON.stringify(groups));

const add = async (
  db: Kysely<Schema>,
  { person, setUp }: { readonly person: NewPerson; readonly setUp: SetUp },
  change: Change,
) => {
  const added = await db
    .insertInto('people')
    .values({
      id: person.id,
      tenant_id: change.tenantId,
      name: person.name,
      name_key: keyOf(person.name),
      display_name: person.displayName,
      password_hash: null,
      roles: JSON.stringify(person.roles),
      device_groups: groupsText(person.deviceGroups),
      disabled: 0,
      created_at: change.now,
      setup_sha256: setUp.sha256,
      setup_expires_at: setUp.expiresAt,
      totp_secret: null,
      totp_step: null,
      recovery_sha256: '[]',
      last_sign_in_at: null,
      second_factor_required: person.secondFactorRequired ? 1 : 0,
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'name_key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (added === undefined) return false;
  const { id, ...detail } = person;
  await tell(db, change, { event: 'added', subject: id, detail });
  return true;
};

/** What was issued for a person is over. */
const endIssued = async (db: Kysely<Schema>, id: string) => {
  for (const table of ['refresh_tokens', 'authorization_codes', 'device_codes'] as const)
    await db.deleteFrom(table).where('person_id', '=', id).execute();
};

/** App, security keys and recovery codes. */
const forgetFactors = async (db: Kysely<Schema>, id: string) => {
  await db.deleteFrom('security_keys').where('person_id', '=', id).execute();
  const nothing = { totp_secret: null, totp_step: null, recovery_sha256: '[]' };
  await db.updateTable('people').set(nothing).where('id', '=', id).execute();
};

const resetSecondFactor = async (db: Kysely<Schema>, id: string, by: Change) => {
  await forgetFactors(db, id);
  await endIssued(db, id);
  await tell(db, by, { event: 'second-factor-reset', subject: id });
};

const change =
  (db: Kysely<Schema>, by: Change) =>
  async (id: string, { resetSecondFactor: isReset, ...settings }: Partial<PersonSettings>): Promise<void> => {
    if (isReset) await resetSecondFactor(db, id, by);
    const { roles, deviceGroups, disabled, secondFactorRequired } = settings;
    const values = {
      ...(roles === undefined ? {} : { roles: JSON.stringify(roles) }),
      ...(deviceGroups === undefined ? {} : { device_groups: groupsText(deviceGroups) }),
      ...(disabled === undefined ? {} : { disabled: disabled ? (1 as const) : (0 as const) }),
      ...(secondFactorRequired === undefined
        ? {}
        : { second_factor_required: secondFactorRequired ? (1 as const) : (0 as const) }),
    };
    if (Object.keys(values).length === 0) return;
    await db.updateTable('people').set(values).where('id', '=', id).execute();
    if (disabled) await endIssued(db, id);
    await tell(db, by, { event: 'changed', subject: id, detail: { ...settings } });
  };

const reset = async (db: Kysely<Schema>, { id, setUp }: { readonly id: string; readonly setUp: SetUp }, by: Change) => {
  await db
    .updateTable('people')
    .set({ password_hash: null, setup_sha256: setUp.sha256, setup_expires_at: setUp.expiresAt })
    .where('id', '=', id)
    .execute();
  await forgetFactors(db, id);
  await endIssued(db, id);
  await tell(db, by, { event: 'reset', subject: id });
};

const setUpPerson = async (
  db: Kysely<Schema>,
  { sha256, passwordHash }: { readonly sha256: string; readonly passwordHash: string },
  now: number,
) => {
  const row = await db
    .updateTable('people')
    .set({ password_hash: passwordHash, setup_sha256: null, setup_expires_at: null })
    .where('setup_sha256', '=', sha256)
    .where('setup_expires_at', '>', now)
    .where('disabled', '=', 0)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return null;
  await tell(db, { tenantId: row.tenant_id, actor: row.name, now }, { event: 'password-chosen', subject: row.id });
  return personRecord(row);
};

const reads = (reader: Kysely<Schema>): Pick<PeopleStore, 'find' | 'findById' | 'list' | 'findSetUp'> => {
  const people = reader.selectFrom('people').selectAll();
  return {
    find: async (tenantId, name) =>
      recordOrNull(
        await people.where('tenant_id', '=', tenantId).where('name_key', '=', keyOf(name)).executeTakeFirst(),
      ),
    findById: async (id) => recordOrNull(await people.where('id', '=', id).executeTakeFirst()),
    list: async (tenantId) => {
      const rows = await people
        .select((eb) =>
          eb
            .selectFrom('security_keys')
            .select(eb.fn.countAll<number>().as('keys'))
            .whereRef('security_keys.person_id', '=', 'people.id')
            .as('security_keys'),
        )
        .where('tenant_id', '=', tenantId)
        .orderBy('name_key')
        .execute();
      return rows.map((row) => ({ ...personRecord(row), securityKeys: Number(row.security_keys ?? 0) }));
    },
    findSetUp: async (sha256, now) =>
      recordOrNull(
        await people
          .where('setup_sha256', '=', sha256)
          .where('setup_expires_at', '>', now)
          .where('disabled', '=', 0)
          .executeTakeFirst(),
      ),
  };
};

export const peopleStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): PeopleStore => ({
  ...reads(reader),
  add: (person, setUp, by) => units.run((db) => add(db, { person, setUp }, by)),
  change: (id, settings, by) => units.run((db) => change(db, by)(id, settings)),
  reset: (id, setUp, by) => units.run((db) => reset(db, { id, setUp }, by)),
  remove: (id, by) =>
    units.run(async (db) => {
      const removed = await db.deleteFrom('people').where('id', '=', id).returning('name').executeTakeFirst();
      if (removed !== undefined) await tell(db, by, { event: 'deleted', subject: id, detail: { name: removed.name } });
    }),
  setUp: (sha256, passwordHash, now) => units.run((db) => setUpPerson(db, { sha256, passwordHash }, now)),
  signedIn: async (id, now) => {
    await units.run((db) => db.updateTable('people').set({ last_sign_in_at: now }).where('id', '=', id).execute());
  },
});
