/** The newest ticket of each action, from the journal, and how often the server took one for no good. */
import type { ActionId } from '@longarm/contract/ids';
import type { Journal } from '../journal/journal.ts';
import type { TicketHolder } from '../transfer/transfer-io.ts';

/** Tickets of one action that the server may refuse before nothing more is sent for it. */
const REFUSALS = 3;

export type Tickets = {
  /** For one transfer, whose requests follow one another. */
  readonly of: (actionId: ActionId) => TicketHolder;
  /** The server refuses even fresh tickets for this action. */
  readonly isHopeless: (actionId: ActionId) => boolean;
};

/** `renew` asks for a new connection, with which fresh tickets come. */
export const ticketsOf = (journal: Pick<Journal, 'action'>, renew: () => void): Tickets => {
  const refused = new Map<ActionId, Set<string>>();
  const refuse = (actionId: ActionId, ticket: string) => {
    const known = refused.get(actionId) ?? new Set();
    const isFirst = !known.has(ticket);
    refused.set(actionId, known.add(ticket));
    if (isFirst && known.size <= REFUSALS) renew();
  };
  return {
    of: (actionId) => {
      // a fresh ticket may come while the answer to an older one is on its way: blame the one that was shown
      let shown = '';
      return {
        current: () => {
          shown = journal.action(actionId)?.ticket ?? '';
          return shown;
        },
        refused: () => refuse(actionId, shown),
      };
    },
    isHopeless: (actionId) => (refused.get(actionId)?.size ?? 0) >= REFUSALS,
  };
};
