/** One machine by what a caller calls it: id, DNS name, aadDeviceId (semantics 25). */
import { Refusal } from '@longarm/contract/errors';
import type { TenantId } from '@longarm/contract/ids';
import type { MachineRecord, MachineStore } from './ports.ts';

type FindIo = { readonly machines: Pick<MachineStore, 'resolve'> };

/** Throws ResourceNotFound for none, InvalidInput naming the ids for several. */
export const findMachine =
  (io: FindIo) =>
  async (tenantId: TenantId, text: string): Promise<MachineRecord> => {
    const [machine, ...others] = await io.machines.resolve(tenantId, text);
    if (machine === undefined) throw new Refusal('ResourceNotFound', `Machine ${text} was not found.`);
    if (others.length > 0) {
      const ids = [machine, ...others].map((match) => match.id).join(', ');
      throw new Refusal(
        'InvalidInput',
        `${others.length + 1} machines are called ${text}: ${ids}. Use one of these ids.`,
      );
    }
    return machine;
  };

/** The same, for what is to be done on it: a record that a later enrolment replaced can do nothing any more. */
export const findActiveMachine =
  (io: FindIo) =>
  async (tenantId: TenantId, text: string): Promise<MachineRecord> => {
    const machine = await findMachine(io)(tenantId, text);
    if (machine.mergedInto !== null) {
      throw new Refusal(
        'ResourceNotFound',
        `Machine ${text} was not found: it enrolled again and is now ${machine.mergedInto}.`,
      );
    }
    return machine;
  };
