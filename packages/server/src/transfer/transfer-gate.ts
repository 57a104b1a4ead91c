/**
 * Who may transfer: a ticket for this action, and with each request a proof that whoever shows it holds the key of the
 * device that it was given to.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '@longarm/contract/errors';
import {
  parseTransferProof,
  TRANSFER_PROOF_HEADER,
  transferPlace,
  transferProofText,
} from '@longarm/contract/wire/transfer-proof';
import { isSignedBy } from '../auth/device-proof.ts';
import type { ProofWindow } from '../auth/proof-window.ts';
import type { Ticket, Tickets } from '../auth/ticket.ts';
import { isSentAway, stateSentence } from '../machines/enrolment-state.ts';
import type { MachineStore } from '../machines/ports.ts';

export type GateIo = {
  readonly tickets: Tickets;
  readonly machines: Pick<MachineStore, 'identity'>;
  readonly proofs: Pick<ProofWindow, 'admit'>;
  /** Who devices prove themselves to. */
  readonly audience: string;
};

/** The proof is good but not fresh: the same request with another one may pass. */
export class StaleProof extends Error {
  override readonly name = 'StaleProof';
}

export type TransferGate = (request: Request, actionId: string) => Promise<Ticket>;

const textOf = (request: Request): string =>
  /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';

/** Throws Unauthorized or Forbidden for who may not, StaleProof for who may with another proof. */
export const transferGate =
  (io: GateIo): TransferGate =>
  async (request, actionId) => {
    const text = textOf(request);
    const ticket = text === '' ? null : io.tickets.read(text);
    if (ticket === null)
      throw new Refusal('Unauthorized', 'Expected a valid transfer ticket. A fresh one comes with the connection.');
    if (ticket.actionId !== actionId) throw new Refusal('Forbidden', 'The transfer ticket is for another action.');
    const { machineId } = ticket;
    const proof = parseTransferProof(request.headers.get(TRANSFER_PROOF_HEADER) ?? '');
    const identity = await io.machines.identity(machineId);
    const { method } = request;
    const claim = {
      audience: io.audience,
      machineId,
      method,
      path: new URL(request.url).pathname,
      place: transferPlace(method, (name) => request.headers.get(name)),
      ticketSha256: createHash('sha256').update(text).digest('base64url'),
    };
    if (
      proof === null ||
      identity === null ||
      !isSignedBy(identity.publicKey, transferProofText({ ...claim, ...proof }), proof.signature)
    )
      throw new Refusal(
        'Unauthorized',
        `Expected a proof in ${TRANSFER_PROOF_HEADER} by the key of the device that the ticket was given to.`,
      );
    if (isSentAway(identity.state))
      throw new Refusal('Forbidden', `This device ${stateSentence(identity.state, identity.stateReason)}.`);
    if (identity.state !== 'Approved')
      throw new Refusal(
        'TooManyRequests',
        `This device ${stateSentence(identity.state, identity.stateReason)}. Try again later.`,
      );
    if (!io.proofs.admit(machineId, proof)) throw new StaleProof();
    return ticket;
  };
