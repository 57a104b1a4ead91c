/** What is said to devices that are connected here (implements AgentLink). */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import { OFFER_FILES } from '@longarm/contract/limits';
import type { FrameToAgent, InlineFile } from '@longarm/contract/wire/to-agent';
import type { OutputLink } from '../actions/output-ports.ts';
import type { AgentLink, Claim } from '../actions/ports.ts';
import type { Tickets } from '../auth/ticket.ts';
import type { SmallFiles } from '../library/small-files.ts';
import { type Session, send } from './session.ts';

type Offer = Extract<FrameToAgent, { type: 'offer' }>;

export type LinkIo = {
  readonly tickets: Tickets;
  readonly smallFiles: SmallFiles;
  /** What an offer carries more, where actions are traced. */
  readonly offered?: ((actionId: ActionId) => Pick<Offer, 'traceparent'>) | undefined;
};

/** What the device need not fetch of what it is offered. */
const inlineFiles = ({ smallFiles }: LinkIo, { files }: Claim) => {
  const found: InlineFile[] = [];
  for (const file of files.slice(0, OFFER_FILES)) {
    const content = smallFiles.find(file);
    if (content !== null) found.push({ sha256: file.sha256, content });
  }
  return found.length === 0 ? {} : { files: found };
};

/** The way to connected devices; what is sent to one that has gone is lost, and made up for later. */
export const agentLink = (io: LinkIo, connected: (machineId: MachineId) => Session | null): AgentLink & OutputLink => {
  const tell = (machineId: MachineId, frame: () => FrameToAgent): boolean => {
    const session = connected(machineId);
    if (session === null) return false;
    send(session, frame());
    return true;
  };
  return {
    isReady: (machineId) => connected(machineId)?.holding === null,
    offer: (machineId, claim) =>
      tell(machineId, () => {
        const { actionId, envelope } = claim;
        const ticket = io.tickets.issue(machineId, actionId);
        return { type: 'offer', actionId, envelope, ticket, ...inlineFiles(io, claim), ...io.offered?.(actionId) };
      }),
    tellWatch: (machineId, frame) => tell(machineId, () => frame),
    cancel: (machineId, cancel) =>
      tell(machineId, () => ({
        type: 'cancel',
        ...cancel,
        ticket: io.tickets.issue(machineId, cancel.actionId),
      })),
  };
};
