/** The ticket of a transfer, and that it is for this action. */
import { Refusal } from '@longarm/contract/errors';
import type { Ticket, Tickets } from '../auth/ticket.ts';

export const requireTicket = (tickets: Tickets, request: Request, actionId: string): Ticket => {
  const text = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const ticket = text === undefined ? null : tickets.read(text);
  if (ticket === null)
    throw new Refusal('Unauthorized', 'Expected a valid transfer ticket. A fresh one comes with the connection.');
  if (ticket.actionId !== actionId) throw new Refusal('Forbidden', 'The transfer ticket is for another action.');
  return ticket;
};
