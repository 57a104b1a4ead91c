/** A machine whose state was copied: who goes on is decided and told, within the unit of a connection. */
import type { Kysely } from 'kysely';
import { type Generations, judgeCopy, NO_GENERATIONS } from '../../machines/generation.ts';
import type { Connection, ConnectOutcome } from '../../machines/ports.ts';
import type { MachineRow, Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';

/** What is known of a machine before it connects. */
export type Known = Pick<
  MachineRow,
  'tenant_id' | 'hardware_id' | 'seen_hardware_id' | 'generations' | 'dns_name' | 'last_external_ip'
> & { readonly enrolment_state: ConnectOutcome['state'] };

/** Written by this store. */
export const readGenerations = (text: string | null): Generations =>
  text === null ? NO_GENERATIONS : (JSON.parse(text) as Generations);

const placeOf = (name: string, address: string | null): string => `${name} (${address ?? 'address unknown'})`;

export type Judged = { readonly outcome: ConnectOutcome; readonly generations: Generations };

/** Both are named, in the audit and in the machine; who stays is the one whose hardware enrolled. */
export const judgeCopied = async (
  db: Kysely<Schema>,
  known: Known,
  of: { readonly connection: Connection; readonly generations: Generations },
): Promise<Judged> => {
  const { connection, generations } = of;
  const { machineId, hardwareId: own, now } = connection;
  const decision = judgeCopy({ enrolled: known.hardware_id, other: known.seen_hardware_id, own });
  const here = placeOf(connection.facts.computerDnsName, connection.externalIp);
  const there = placeOf(known.dns_name, known.last_external_ip);
  const copy = decision === 'refuse-other' ? there : here;
  const reason =
    decision === 'quarantine'
      ? `its key is used in two places: ${there} and ${here}`
      : `a copy of its state was refused: ${copy}`;
  const state = decision === 'quarantine' ? 'Quarantined' : known.enrolment_state;
  const kept = { ...generations, displaced: [], isPinned: decision !== 'quarantine' };
  const said = { enrolment_state: state, enrolment_reason: reason, generations: JSON.stringify(kept) };
  await db.updateTable('machines').set(said).where('id', '=', machineId).execute();
  const detail = {
    decision,
    here,
    there,
    hardwareIds: { enrolled: known.hardware_id, own, other: known.seen_hardware_id },
  };
  await writeAudit(db, {
    tenantId: known.tenant_id,
    at: now,
    actor: 'server',
    event: 'machine.copied',
    subject: machineId,
    detail,
  });
  const outcome = { state, verdict: 'copied', refusal: decision === 'refuse-this' ? reason : null } as const;
  return { outcome, generations: kept };
};
