/**
 * Which of a machine's connections is its newest. A proof may come late, on a connection that its device has long given up:
 * the frame lay in the network while the device connected anew. What such a proof says of the device's work is older than what
 * the device has said since, and an action that it took in between would count as lost.
 */
import type { MachineId } from '@longarm/contract/ids';
import type { Session } from './session.ts';

export type NewestProof = {
  /** To be called in the order in which connections come. */
  readonly opened: (session: Session) => void;
  /**
   * To be called once for each proof that holds. False where the machine has proven itself since on a connection that came after
   * this one.
   */
  readonly isNewest: (session: Session, machineId: MachineId) => boolean;
  readonly closed: (session: Session) => void;
  /** Forgets machines that no connection can come too late for any more; to be called again and again. */
  readonly forget: () => void;
};

export const newestProof = (): NewestProof => {
  let count = 0;
  /** Those without a proof, the oldest first. */
  const waiting = new Map<Session, number>();
  /** By machine the number of its newest connection, for as long as an older one waits. */
  const newest = new Map<MachineId, number>();
  return {
    opened: (session) => void waiting.set(session, ++count),
    isNewest: (session, machineId) => {
      const number = waiting.get(session) ?? 0;
      waiting.delete(session);
      if (number < (newest.get(machineId) ?? 0)) return false;
      newest.set(machineId, number);
      return true;
    },
    closed: (session) => void waiting.delete(session),
    forget: () => {
      const oldest = waiting.values().next().value ?? Number.POSITIVE_INFINITY;
      for (const [machineId, number] of newest) if (number < oldest) newest.delete(machineId);
    },
  };
};
