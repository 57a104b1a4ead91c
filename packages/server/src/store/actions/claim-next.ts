/**
 * The unit behind the dispatcher's claim: the machine's first action that is not over in effect is leased, if it is
 * waiting, for no second person, on a device that may work, nobody's offer of it is on its way, and a session is free. Its envelope is signed once.
 */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Kysely } from 'kysely';
import type { ClaimOutcome, ClaimTerms } from '../../actions/ports.ts';
import { firstOf, prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { isApproved, isNotOver } from './conditions.ts';
import { commandsOf } from './load-actions.ts';
import { lockdownState } from './lockdown-store.ts';
import { type EnvelopeMaker, envelopeFor, filesOf } from './make-envelope.ts';
import { sessionsHeld } from './sessions-held.ts';

const firstInLine = prepared((db, given: { readonly machineId: MachineId }) =>
  db
    .selectFrom('actions')
    .selectAll()
    .where('machine_id', '=', given.machineId)
    .where(isNotOver)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('machines')
          .select('machines.id')
          .whereRef('machines.id', '=', 'actions.machine_id')
          .where('machines.enrolment_state', '=', 'Approved'),
      ),
    )
    .orderBy('seq')
    .limit(1),
);

const lease = prepared(
  (
    db,
    given: {
      readonly id: ActionId;
      readonly leaseUntil: EpochMs;
      readonly envelope: string;
      readonly runDeadline: EpochMs;
    },
  ) =>
    db
      .updateTable('actions')
      .set({
        lease_until: given.leaseUntil,
        holds_slot: 1,
        envelope: given.envelope,
        run_deadline: given.runDeadline,
      })
      .where('id', '=', given.id)
      .where('status', '=', 'Pending')
      .where(isApproved),
);

const NOTHING: ClaimOutcome = { kind: 'nothing' };

export const claimNext = async (db: Kysely<Schema>, terms: ClaimTerms, maker: EnvelopeMaker): Promise<ClaimOutcome> => {
  if ((await lockdownState(db)) !== null) return NOTHING;
  const action = await firstOf(firstInLine(db, { machineId: terms.machineId }));
  if (action === undefined || action.status !== 'Pending') return NOTHING;
  if (action.lease_until !== null && action.lease_until > terms.now) return NOTHING;
  if (action.queue_deadline <= terms.now) return NOTHING;
  if (action.approval_state === 'Required') return NOTHING;
  if (action.holds_slot === 0 && (await sessionsHeld(db, action.tenant_id)) >= terms.maxSessions)
    return { kind: 'sessions-full' };
  const commands = await commandsOf(db, action.id);
  const envelope = await envelopeFor(db, { ...action, commands }, { maker, now: terms.now });
  // an offer that is repeated keeps its deadline, unless its slot was given back meanwhile
  const runDeadline = (action.holds_slot === 1 ? action.run_deadline : null) ?? terms.now + action.run_ms;
  const leased = await lease(db, { id: action.id, leaseUntil: terms.now + terms.leaseMs, envelope, runDeadline });
  if (leased.numAffectedRows !== 1n) throw new Error(`action ${action.id} changed under its own unit of work`);
  return { kind: 'claimed', claim: { actionId: action.id, envelope, files: filesOf(commands) } };
};
