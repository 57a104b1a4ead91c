/**
 * The unit behind the dispatcher's claim: the machine's first action that is not over in effect is leased, if it is
 * waiting, nobody's offer of it is on its way, and a session is free. Its envelope is signed once, here.
 */
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { Kysely, Selectable } from 'kysely';
import type { Claim, ClaimTerms, EnvelopeTerms } from '../../actions/ports.ts';
import type { ActionRow, Schema } from '../schema.ts';
import { sessionsHeld } from './sessions-held.ts';

/** Signs an envelope's payload; synchronous, since a unit awaits nothing but its own queries. */
export type SignEnvelope = (payload: EnvelopePayload) => string;

export type EnvelopeMaker = { readonly sign: SignEnvelope; readonly terms: EnvelopeTerms; readonly epoch: number };

const firstInLine = (db: Kysely<Schema>, terms: ClaimTerms) =>
  db
    .selectFrom('actions')
    .selectAll()
    .where('machine_id', '=', terms.machineId)
    .where((eb) => eb.or([eb('status', 'in', ['Pending', 'InProgress']), eb('holds_slot', '=', 1)]))
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();

const nextCounter = async (db: Kysely<Schema>, action: Selectable<ActionRow>): Promise<number> => {
  const { envelope_counter } = await db
    .updateTable('machines')
    .set((eb) => ({ envelope_counter: eb('envelope_counter', '+', 1) }))
    .where('id', '=', action.machine_id)
    .returning('envelope_counter')
    .executeTakeFirstOrThrow();
  return Number(envelope_counter);
};

const makeEnvelope = async (
  db: Kysely<Schema>,
  action: Selectable<ActionRow>,
  making: { readonly maker: EnvelopeMaker; readonly now: number },
): Promise<string> => {
  const commands = await db
    .selectFrom('commands')
    .selectAll()
    .where('action_id', '=', action.id)
    .orderBy('idx')
    .execute();
  return making.maker.sign({
    version: 1,
    actionId: action.id,
    machineId: action.machine_id,
    tenantId: action.tenant_id,
    commands: commands.map((row) => ({
      command: JSON.parse(row.parsed),
      file: row.file_sha256 === null ? null : { sha256: row.file_sha256, sizeBytes: Number(row.file_size) },
      timeLimitSeconds: row.time_limit_seconds,
    })),
    ...making.maker.terms,
    issuedAt: making.now,
    // an action that is not accepted by its queue deadline never is, so no device needs it for longer
    expiresAt: Math.ceil(action.queue_deadline),
    epoch: making.maker.epoch,
    counter: await nextCounter(db, action),
  });
};

export const claimNext = async (db: Kysely<Schema>, terms: ClaimTerms, maker: EnvelopeMaker): Promise<Claim | null> => {
  const action = await firstInLine(db, terms);
  if (action === undefined || action.status !== 'Pending') return null;
  if (action.lease_until !== null && action.lease_until > terms.now) return null;
  if (action.queue_deadline <= terms.now) return null;
  if (action.holds_slot === 0 && (await sessionsHeld(db, action.tenant_id)) >= terms.maxSessions) return null;
  const envelope = action.envelope ?? (await makeEnvelope(db, action, { maker, now: terms.now }));
  // an offer that is repeated keeps its deadline, unless its slot was given back meanwhile
  const runDeadline = (action.holds_slot === 1 ? action.run_deadline : null) ?? terms.now + action.run_ms;
  const leased = await db
    .updateTable('actions')
    .set({ lease_until: terms.now + terms.leaseMs, holds_slot: 1, envelope, run_deadline: runDeadline })
    .where('id', '=', action.id)
    .where('status', '=', 'Pending')
    .executeTakeFirst();
  if (leased.numUpdatedRows !== 1n) throw new Error(`action ${action.id} changed under its own unit of work`);
  return { actionId: action.id, envelope };
};
