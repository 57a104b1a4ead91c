/**
 * Tickets: what lets one device transfer for one action (its pinned library files down, its results up). Issued on
 * the authenticated socket only, bound to machine and action, and useless for anything else.
 */
import { ActionId, MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { z } from 'zod';
import { isSealOf, sealOf } from './sealed-text.ts';

const PURPOSE = 'transfer-ticket-v1';
/** Longer than any run; a device that reconnects gets a fresh one. */
const TICKET_MS = 7 * 86_400_000;

const Ticket = z.strictObject({ machineId: MachineId, actionId: ActionId, expiresAt: z.int() });
export type Ticket = z.infer<typeof Ticket>;

export type Tickets = {
  readonly issue: (machineId: MachineId, actionId: ActionId) => string;
  /** Null for what is forged, expired or not understood. */
  readonly read: (text: string) => Ticket | null;
};

export const tickets = (io: { readonly key: Uint8Array; readonly now: () => EpochMs }): Tickets => ({
  issue: (machineId, actionId) => {
    const payload = Buffer.from(JSON.stringify({ machineId, actionId, expiresAt: io.now() + TICKET_MS })).toString(
      'base64url',
    );
    return `${payload}.${sealOf(io.key, PURPOSE, payload)}`;
  },
  read: (text) => {
    const [payload = '', seal = '', ...rest] = text.split('.');
    if (rest.length > 0 || !isSealOf(seal, io.key, { purpose: PURPOSE, text: payload })) return null;
    const ticket = Ticket.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).data ?? null;
    return ticket === null || ticket.expiresAt <= io.now() ? null : ticket;
  },
});
