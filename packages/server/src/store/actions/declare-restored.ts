/**
 * The unit behind `longarm restored`: devices have seen higher counters than a store that came from a backup, and
 * would refuse what it signs. The epoch goes up; what waits with an envelope of before is signed anew by its claim.
 */
import type { Kysely } from 'kysely';
import type { ActionStore } from '../../actions/ports.ts';
import type { Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';
import { raiseEnvelopeEpoch } from './envelope-epoch.ts';

export const declareRestored = async (
  db: Kysely<Schema>,
  by: Parameters<ActionStore['declareRestored']>[0],
): Promise<number> => {
  const epoch = await raiseEnvelopeEpoch(db);
  await writeAudit(db, {
    tenantId: by.tenantId,
    at: by.now,
    actor: by.actor,
    event: 'store.restored',
    subject: `epoch ${epoch}`,
  });
  return epoch;
};
