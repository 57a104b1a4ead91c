/** The units behind keys that follow one another: wanted, and changed, each with its audit entry. */
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { KeyChange, KeyOutcome, KeyWish } from '../../machines/ports.ts';
import type { Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';

/** SHA-256 of the raw key, hex. */
const thumbprintOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex');

export const wantKey = async (db: Kysely<Schema>, wish: KeyWish): Promise<void> => {
  const { tenantId, machineId, actor, now } = wish;
  await db
    .updateTable('machines')
    .set({ key_wanted_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', machineId)
    .execute();
  await writeAudit(db, { tenantId, at: now, actor, event: 'machine.key-wanted', subject: machineId });
};

/** The key in force is compared once more: of two claims that were judged side by side one is stored. */
export const renewKey = async (db: Kysely<Schema>, change: KeyChange): Promise<KeyOutcome> => {
  const { machineId, formerKey, publicKey, number, now } = change;
  const known = await db
    .selectFrom('machines')
    .select(['tenant_id', 'public_key', 'key_number', 'enrolment_state', 'merged_into'])
    .where('id', '=', machineId)
    .executeTakeFirst();
  if (known === undefined || known.merged_into !== null) return { kind: 'unknown' };
  if (known.enrolment_state !== 'Approved') return { kind: 'refused', state: known.enrolment_state };
  if (known.public_key !== formerKey || Number(known.key_number) !== number - 1) return { kind: 'changed' };
  await db
    .updateTable('machines')
    .set({ public_key: publicKey, former_public_key: formerKey, key_number: number, key_wanted_at: null })
    .where('id', '=', machineId)
    .execute();
  await writeAudit(db, {
    tenantId: known.tenant_id,
    at: now,
    actor: `device ${machineId}`,
    event: 'machine.key-rotated',
    origin: { address: change.externalIp, requestId: change.sessionId },
    subject: machineId,
    detail: { number, former: thumbprintOf(formerKey), key: thumbprintOf(publicKey) },
  });
  return { kind: 'renewed' };
};
