/** What a device will execute, signed: made of the rows, in the unit that decides about them. */
import type { MachineId, Sha256 } from '@longarm/contract/ids';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import type { Claim, EnvelopeTerms } from '../../actions/ports.ts';
import { firstOf, prepared } from '../prepared.ts';
import type { ActionRow, CommandRow, Schema } from '../schema.ts';
import { envelopeEpoch } from './envelope-epoch.ts';

/** Signs an envelope's payload; synchronous, since a unit awaits nothing but its own queries. */
export type SignEnvelope = (payload: EnvelopePayload) => string;

export type EnvelopeMaker = { readonly sign: SignEnvelope; readonly terms: EnvelopeTerms };

const takeCounter = prepared((db, given: { readonly machineId: MachineId }) =>
  db
    .updateTable('machines')
    .set((eb) => ({ envelope_counter: eb('envelope_counter', '+', 1) }))
    .where('id', '=', given.machineId)
    .returning('envelope_counter'),
);

const nextCounter = async (db: Kysely<Schema>, machineId: MachineId): Promise<number> => {
  const row = await firstOf(takeCounter(db, { machineId }));
  if (row === undefined) throw new Error(`machine ${machineId} is not here`);
  return Number(row.envelope_counter);
};

type Making = { readonly maker: EnvelopeMaker; readonly now: number };

/** An action's rows, as far as its envelope says them. */
type Enveloped = Pick<Selectable<ActionRow>, 'id' | 'machine_id' | 'tenant_id' | 'queue_deadline'> & {
  readonly commands: readonly CommandRow[];
};

const makeEnvelope = async (
  db: Kysely<Schema>,
  action: Enveloped,
  making: Making & { readonly epoch: number },
): Promise<string> =>
  making.maker.sign({
    version: 1,
    actionId: action.id,
    machineId: action.machine_id,
    tenantId: action.tenant_id,
    commands: action.commands.map((row) => ({
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
    counter: await nextCounter(db, action.machine_id),
  });

/** The first envelope of an action. */
export const newEnvelope = async (db: Kysely<Schema>, action: Enveloped, making: Making): Promise<string> =>
  makeEnvelope(db, action, { ...making, epoch: await envelopeEpoch(db) });

/** The library files that commands name, each once. */
export const filesOf = (commands: readonly CommandRow[]): Claim['files'] => {
  const files = new Map<Sha256, number>();
  for (const row of commands) if (row.file_sha256 !== null) files.set(row.file_sha256, Number(row.file_size));
  return [...files].map(([sha256, sizeBytes]) => ({ sha256, sizeBytes }));
};

const Signed = z.object({ epoch: z.int() });

/** Under which epoch this server signed it. */
const epochOf = (compact: string): number =>
  Signed.parse(JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString('utf8'))).epoch;

/** Signed once, at the first claim, so that every later offer is the same bytes; anew after a restore. */
export const envelopeFor = async (
  db: Kysely<Schema>,
  action: Enveloped & Pick<Selectable<ActionRow>, 'envelope'>,
  making: Making,
): Promise<string> => {
  const epoch = await envelopeEpoch(db);
  if (action.envelope !== null && epochOf(action.envelope) >= epoch) return action.envelope;
  return makeEnvelope(db, action, { ...making, epoch });
};
