/** One machine by what a caller calls it: id, DNS name, aadDeviceId (semantics 25). */
import { Refusal } from '@longarm/contract/errors';
import type { Reach } from '../audit/reach.ts';
import type { MachineRecord, MachineStore } from './ports.ts';

type FindIo = { readonly machines: Pick<MachineStore, 'resolve'> };

/** Throws ResourceNotFound for none, InvalidInput naming the ids for several. */
export const findMachine =
  (io: FindIo) =>
  async (reach: Reach, text: string): Promise<MachineRecord> => {
    const [machine, ...others] = await io.machines.resolve(reach, text);
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
  async (reach: Reach, text: string): Promise<MachineRecord> => {
    const machine = await findMachine(io)(reach, text);
    if (machine.mergedInto !== null) {
      throw new Refusal(
        'ResourceNotFound',
        `Machine ${text} was not found: it enrolled again and is now ${machine.mergedInto}.`,
      );
    }
    return machine;
  };
