/** The unit behind enrolment: the token's use is spent and the machine is there, or neither. */
import type { MachineId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import { isSameSecret } from '../../audit/same-secret.ts';
import { isSentAway } from '../../machines/enrolment-state.ts';
import type { Enrolment, EnrolOutcome } from '../../machines/ports.ts';
import type { EnrolTokenRow, Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';
import { factColumns, rememberAddresses } from './machine-rows.ts';

const tokenFault = (token: EnrolTokenRow | undefined, enrolment: Enrolment): EnrolOutcome | null => {
  if (token === undefined || !isSameSecret(token.secret_sha256, enrolment.tokenSecretSha256))
    return { kind: 'bad-token' };
  if (token.revoked === 1) return { kind: 'revoked' };
  if (token.expires_at !== null && token.expires_at <= enrolment.now) return { kind: 'expired' };
  return null;
};

/** The same agent at the same place, with an older key and no connection: this enrolment takes over from it. */
const supersede = async (
  db: Kysely<Schema>,
  tenantId: EnrolTokenRow['tenant_id'],
  enrolment: Enrolment,
): Promise<MachineId | null> => {
  const older = await db
    .selectFrom('machines')
    .select(['id', 'group_id'])
    .where('tenant_id', '=', tenantId)
    .where('hardware_id', '=', enrolment.hardwareId)
    .where('id', '!=', enrolment.machineId)
    .where('merged_into', 'is', null)
    .where('session_id', 'is', null)
    .executeTakeFirst();
  if (older === undefined) return null;
  await db.updateTable('machines').set({ merged_into: enrolment.machineId }).where('id', '=', older.id).execute();
  // where the token names no group, the machine stays in the one that it was in
  await db
    .updateTable('machines')
    .set({ group_id: older.group_id })
    .where('id', '=', enrolment.machineId)
    .where('group_id', 'is', null)
    .execute();
  return older.id;
};

const insertMachine = async (db: Kysely<Schema>, token: EnrolTokenRow, enrolment: Enrolment) => {
  await db
    .insertInto('machines')
    .values({
      id: enrolment.machineId,
      tenant_id: token.tenant_id,
      public_key: enrolment.publicKey,
      hardware_id: enrolment.hardwareId,
      merged_into: null,
      ...factColumns(enrolment.facts, enrolment.externalIp),
      first_seen: enrolment.now,
      last_seen: enrolment.now,
      session_id: null,
      envelope_counter: 0,
      group_id: token.group_id,
      enrolment_state: token.approval === 1 ? 'PendingApproval' : 'Approved',
      enrolment_reason: null,
      generations: null,
      seen_hardware_id: enrolment.hardwareId,
    })
    .execute();
  for (const tag of new Set(JSON.parse(token.tags) as string[])) {
    await db.insertInto('machine_tags').values({ machine_id: enrolment.machineId, tag }).execute();
  }
  const addresses = enrolment.facts.ipAddresses.map((entry) => entry.ipAddress);
  await rememberAddresses(db, [{ machineId: enrolment.machineId, addresses, now: enrolment.now }]);
};

export const enrolMachine = async (db: Kysely<Schema>, enrolment: Enrolment): Promise<EnrolOutcome> => {
  const token = await db.selectFrom('enrol_tokens').selectAll().where('id', '=', enrolment.tokenId).executeTakeFirst();
  const fault = tokenFault(token, enrolment);
  if (fault !== null || token === undefined) return fault ?? { kind: 'bad-token' };
  const known = await db
    .selectFrom('machines')
    .select(['public_key', 'enrolment_state', 'enrolment_reason'])
    .where('id', '=', enrolment.machineId)
    .executeTakeFirst();
  if (known !== undefined) {
    const { enrolment_state: state, enrolment_reason: reason } = known;
    if (isSentAway(state)) return { kind: 'refused-machine', state, reason };
    // an answer that was lost on its way: the same key enrols again and spends nothing, so that one use is enough
    return known.public_key === enrolment.publicKey
      ? { kind: 'enrolled', tenantId: token.tenant_id, supersedes: null }
      : { kind: 'other-key' };
  }
  if (token.max_uses !== null && token.uses >= token.max_uses) return { kind: 'used-up' };
  await db
    .updateTable('enrol_tokens')
    .set((eb) => ({ uses: eb('uses', '+', 1) }))
    .where('id', '=', token.id)
    .execute();
  await insertMachine(db, token, enrolment);
  const supersedes = await supersede(db, token.tenant_id, enrolment);
  await writeAudit(db, {
    tenantId: token.tenant_id,
    at: enrolment.now,
    actor: `device ${enrolment.machineId}`,
    event: 'machine.enrolled',
    origin: { address: enrolment.externalIp, requestId: null },
    subject: enrolment.machineId,
    detail: { token: token.id, computerDnsName: enrolment.facts.computerDnsName, supersedes },
  });
  return { kind: 'enrolled', tenantId: token.tenant_id, supersedes };
};
