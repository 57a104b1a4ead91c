/** The administrator's word that a device shall have another key: in the row until it has, and told where it is connected. */
import { Refusal } from '@longarm/contract/errors';
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Reach } from '../audit/reach.ts';
import { stateSentence } from './enrolment-state.ts';
import { findActiveMachine } from './find-machine.ts';
import type { MachineStore } from './ports.ts';

type WantIo = {
  readonly machines: Pick<MachineStore, 'resolve' | 'wantKey'>;
  /** A hint to the device; false where it is away, or understands none. */
  readonly askForKey: (machineId: MachineId) => boolean;
  readonly clock: { readonly now: () => EpochMs };
};

export type WantKey = (
  reach: Reach,
  asked: { readonly machine: string; readonly actor: string },
) => Promise<{ readonly machineId: MachineId; readonly isAsked: boolean }>;

/** Throws ResourceNotFound, InvalidInput, or BadRequest for a machine that may not work. */
export const wantKey =
  (io: WantIo): WantKey =>
  async (reach, { machine, actor }) => {
    const { id: machineId, enrolmentState } = await findActiveMachine(io)(reach, machine);
    if (enrolmentState !== 'Approved')
      throw new Refusal('BadRequest', `Machine ${machineId} ${stateSentence(enrolmentState, null)}: its key stays.`);
    await io.machines.wantKey({ tenantId: reach.tenantId, machineId, actor, now: io.clock.now() });
    return { machineId, isAsked: io.askForKey(machineId) };
  };
