/** What a device will execute, signed: made of the rows, in the unit that decides about them. */
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import type { EnvelopeTerms } from '../../actions/ports.ts';
import type { ActionRow, Schema } from '../schema.ts';
import { envelopeEpoch } from './envelope-epoch.ts';

/** Signs an envelope's payload; synchronous, since a unit awaits nothing but its own queries. */
export type SignEnvelope = (payload: EnvelopePayload) => string;

export type EnvelopeMaker = { readonly sign: SignEnvelope; readonly terms: EnvelopeTerms };

const nextCounter = async (db: Kysely<Schema>, action: Selectable<ActionRow>): Promise<number> => {
  const { envelope_counter } = await db
    .updateTable('machines')
    .set((eb) => ({ envelope_counter: eb('envelope_counter', '+', 1) }))
    .where('id', '=', action.machine_id)
    .returning('envelope_counter')
    .executeTakeFirstOrThrow();
  return Number(envelope_counter);
};

type Making = { readonly maker: EnvelopeMaker; readonly now: number };

const makeEnvelope = async (
  db: Kysely<Schema>,
  action: Selectable<ActionRow>,
  making: Making & { readonly epoch: number },
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
      // an agent older than signatures refuses what it does not know: it gets none where there are none
      ...(row.file_signatures === '[]' ? {} : { signatures: JSON.parse(row.file_signatures) }),
    })),
    ...making.maker.terms,
    issuedAt: making.now,
    // an action that is not accepted by its queue deadline never is, so no device needs it for longer
    expiresAt: Math.ceil(action.queue_deadline),
    epoch: making.epoch,
    counter: await nextCounter(db, action),
  });
};

const Signed = z.object({ epoch: z.int() });

/** Under which epoch this server signed it. */
const epochOf = (compact: string): number =>
  Signed.parse(JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString('utf8'))).epoch;

/** Signed once, at the first claim, so that every later offer is the same bytes; anew after a restore. */
export const envelopeFor = async (
  db: Kysely<Schema>,
  action: Selectable<ActionRow>,
  making: Making,
): Promise<string> => {
  const epoch = await envelopeEpoch(db);
  if (action.envelope !== null && epochOf(action.envelope) >= epoch) return action.envelope;
  return makeEnvelope(db, action, { ...making, epoch });
};
