/** The connections that this process holds: who is connected by which, and the way to them. */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { OutputLink } from '../actions/output-ports.ts';
import type { AgentLink } from '../actions/ports.ts';
import type { Announcement } from '../auth/certificates/trust-statement.ts';
import { inherit } from '../limits/device-budget.ts';
import { agentLink, type LinkIo } from './agent-link.ts';
import { newestProof } from './newest-proof.ts';
import { askForKey } from './renew-key.ts';
import { dismiss, refuse, type Session } from './session.ts';
import { tellTrust } from './tell-trust.ts';

export type Sessions = AgentLink &
  OutputLink & {
    /** Asked once for each proof that holds: false where it comes too late to say anything of its machine. */
    readonly isNewest: (session: Session, machineId: MachineId) => boolean;
    /** This session is the machine's from now on; an older one is sent away. */
    readonly enter: (machineId: MachineId, session: Session) => void;
    /** True when the session was the machine's. */
    readonly leave: (session: Session) => boolean;
    /** Machines that are connected here now: for presence, written in batches. */
    readonly connectedMachines: () => readonly MachineId[];
    /** Ends connections on which nothing was heard since the moment: half-open ones, and those that were sent away. */
    readonly closeSilent: (since: EpochMs) => void;
    /** Ends the machine's connection, if it has one, and says why. */
    readonly dismissMachine: (machineId: MachineId, reason: string, retryAfterSeconds: number) => void;
    /** Asks the machine for another key. False where it is not connected here, or understands none of it. */
    readonly askForKey: (machineId: MachineId) => boolean;
    /** Tells at most so many devices what the server is trusted by, of those that do not know it yet. */
    readonly tellTrust: (announcement: Announcement, most: number) => void;
    /** Sends away who has not begun to prove itself since the moment. */
    readonly dismissStrangers: (since: EpochMs) => void;
    readonly track: (session: Session) => void;
    readonly closeAll: (reason: string) => void;
  };

export const gatewaySessions = (io: LinkIo & { readonly newNonce: () => string }): Sessions => {
  const all = new Set<Session>();
  const leaving = new WeakSet<Session>();
  const byMachine = new Map<MachineId, Session>();
  const newest = newestProof();
  const connected = (machineId: MachineId): Session | null => {
    const session = byMachine.get(machineId);
    return session?.phase === 'connected' ? session : null;
  };
  return {
    track: (session) => {
      all.add(session);
      newest.opened(session);
    },
    isNewest: newest.isNewest,
    enter: (machineId, session) => {
      const older = byMachine.get(machineId);
      byMachine.set(machineId, session);
      if (older === undefined || older === session) return;
      inherit(session, older);
      dismiss(older, 'this machine has connected anew');
    },
    leave: (session) => {
      all.delete(session);
      newest.closed(session);
      const { machineId } = session;
      if (machineId === null || byMachine.get(machineId) !== session) return false;
      byMachine.delete(machineId);
      return true;
    },
    connectedMachines: () => [...byMachine.keys()].filter((machineId) => connected(machineId) !== null),
    closeSilent: (since) => {
      for (const session of all) {
        if (session.lastHeardAt < since || leaving.has(session)) session.wire.terminate();
        // it was told goodbye, and has until the next time to close its side
        else if (session.phase === 'closed') leaving.add(session);
      }
    },
    dismissStrangers: (since) => {
      newest.forget();
      for (const session of all) {
        const isLate = session.phase === 'awaiting-proof' && session.lastHeardAt < since;
        const reason = 'expected a proof in the time for a handshake, got none';
        if (isLate) refuse(session, { code: 'handshake-seconds', reason });
      }
    },
    askForKey: (machineId) => askForKey(byMachine.get(machineId), io.newNonce),
    tellTrust: (announcement, most) => tellTrust(byMachine.values(), announcement, most),
    dismissMachine: (machineId, reason, retryAfterSeconds) => {
      const session = byMachine.get(machineId);
      if (session !== undefined) dismiss(session, reason, retryAfterSeconds);
    },
    closeAll: (reason) => {
      for (const session of [...all]) dismiss(session, reason);
    },
    ...agentLink(io, connected),
  };
};
