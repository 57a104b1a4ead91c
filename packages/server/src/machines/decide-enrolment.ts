/** The administrator's word on a device: let it work, turn it away, or take back its right for good. */
import { Refusal } from '@longarm/contract/errors';
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { REVOKED_RETRY_SECONDS } from '@longarm/contract/limits';
import type { EnrolmentDecision, EnrolmentState } from '@longarm/contract/machine';
import type { Reach } from '../audit/reach.ts';
import { isSentAway, stateSentence } from './enrolment-state.ts';
import { findMachine } from './find-machine.ts';
import type { MachineStore } from './ports.ts';

/** The way to a device that is connected, if it is. */
export type DismissMachine = (machineId: MachineId, reason: string, retryAfterSeconds: number) => void;

type DecideIo = {
  readonly machines: Pick<MachineStore, 'resolve' | 'decideEnrolment'>;
  readonly hints: {
    readonly wake: (machineId: MachineId) => void;
    readonly actionChanged: (actionId: ActionId) => void;
    readonly sessionEnded: () => void;
  };
  readonly dismissMachine: DismissMachine;
  readonly clock: { readonly now: () => EpochMs };
};

type Asked = {
  readonly machine: string;
  readonly decision: EnrolmentDecision;
  readonly reason: string;
  readonly actor: string;
};

export type DecideEnrolment = (
  reach: Reach,
  asked: Asked,
) => Promise<{ readonly machineId: MachineId; readonly state: EnrolmentState; readonly endedActions: number }>;

/** Throws ResourceNotFound, InvalidInput, or BadRequest where the decision does not apply. */
export const decideEnrolment =
  (io: DecideIo): DecideEnrolment =>
  async (reach, asked) => {
    const { decision, reason, actor } = asked;
    const { id: machineId } = await findMachine(io)(reach, asked.machine);
    const { tenantId } = reach;
    const outcome = await io.machines.decideEnrolment({
      tenantId,
      machineId,
      decision,
      reason,
      actor,
      now: io.clock.now(),
    });
    if (outcome.kind === 'refused')
      throw new Refusal(
        'BadRequest',
        `Machine ${machineId} ${stateSentence(outcome.state, null)}: nothing was changed.`,
      );
    const { state, ended } = outcome;
    for (const actionId of ended) io.hints.actionChanged(actionId);
    if (ended.length > 0) io.hints.sessionEnded();
    if (isSentAway(state))
      io.dismissMachine(machineId, `this device ${stateSentence(state, reason)}`, REVOKED_RETRY_SECONDS);
    else io.hints.wake(machineId);
    return { machineId, state, endedActions: ended.length };
  };
