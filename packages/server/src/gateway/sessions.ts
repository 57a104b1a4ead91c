/** The connections that this process holds: who is connected by which, and the way to them (implements AgentLink). */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { OFFER_FILES } from '@longarm/contract/limits';
import type { FrameToAgent, InlineFile } from '@longarm/contract/wire/to-agent';
import type { OutputLink } from '../actions/output-ports.ts';
import type { AgentLink, Claim } from '../actions/ports.ts';
import type { Announcement } from '../auth/certificates/trust-statement.ts';
import type { Tickets } from '../auth/ticket.ts';
import type { SmallFiles } from '../library/small-files.ts';
import { inherit } from '../limits/device-budget.ts';
import { askForKey } from './renew-key.ts';
import { dismiss, refuse, type Session, send } from './session.ts';
import { tellTrust } from './tell-trust.ts';

export type Sessions = AgentLink &
  OutputLink & {
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

type Offer = Extract<FrameToAgent, { type: 'offer' }>;

type SessionsIo = {
  readonly tickets: Tickets;
  readonly smallFiles: SmallFiles;
  readonly newNonce: () => string;
  /** What an offer carries more, where actions are traced. */
  readonly offered?: ((actionId: ActionId) => Pick<Offer, 'traceparent'>) | undefined;
};

/** What the device need not fetch of what it is offered. */
const inlineFiles = ({ smallFiles }: SessionsIo, { files }: Claim) => {
  const found: InlineFile[] = [];
  for (const file of files.slice(0, OFFER_FILES)) {
    const content = smallFiles.find(file);
    if (content !== null) found.push({ sha256: file.sha256, content });
  }
  return found.length === 0 ? {} : { files: found };
};

export const gatewaySessions = (io: SessionsIo): Sessions => {
  const all = new Set<Session>();
  const leaving = new WeakSet<Session>();
  const byMachine = new Map<MachineId, Session>();
  const connected = (machineId: MachineId): Session | null => {
    const session = byMachine.get(machineId);
    return session?.phase === 'connected' ? session : null;
  };
  return {
    track: (session) => void all.add(session),
    enter: (machineId, session) => {
      const older = byMachine.get(machineId);
      byMachine.set(machineId, session);
      if (older === undefined || older === session) return;
      inherit(session, older);
      dismiss(older, 'this machine has connected anew');
    },
    leave: (session) => {
      all.delete(session);
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
    isReady: (machineId) => connected(machineId)?.holding === null,
    offer: (machineId, claim) => {
      const session = connected(machineId);
      if (session === null) return false;
      const { actionId, envelope } = claim;
      const ticket = io.tickets.issue(machineId, actionId);
      send(session, {
        type: 'offer',
        actionId,
        envelope,
        ticket,
        ...inlineFiles(io, claim),
        ...io.offered?.(actionId),
      });
      return true;
    },
    tellWatch: (machineId, frame) => {
      const session = connected(machineId);
      if (session === null) return false;
      send(session, frame);
      return true;
    },
    cancel: (machineId, cancel) => {
      const session = connected(machineId);
      if (session === null) return false;
      send(session, { type: 'cancel', ...cancel, ticket: io.tickets.issue(machineId, cancel.actionId) });
      return true;
    },
  };
};
