/** What both directions of a transfer need. */
import type { Log } from '../platform/log.ts';
import type { After } from '../platform/timers.ts';

/** A request to a path below the server's address. Rejects when there is no answer; any HTTP status is an answer. */
export type SendRequest = (path: string, init?: RequestInit) => Promise<Response>;

export type TransferIo = {
  readonly request: SendRequest;
  readonly after: After;
  /** At least 0, below 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Between two heartbeats, as the server wants them: what is silent for two of them is not there any more. */
  readonly heartbeatMs: () => number;
};

/** So many heartbeats without a sign of life mean that nobody is there. */
export const SILENT_HEARTBEATS = 2;

/** For requests after a failed one: kept connections may be as dead as the one that failed. */
export const ON_A_CONNECTION_OF_ITS_OWN = { keepalive: false } as const;

/** The right to transfer for one action. The server gives a fresh one with each connection. */
export type TicketHolder = {
  readonly current: () => string;
  /** The server took the ticket that `current` gave last for no good: a new connection brings another. */
  readonly refused: () => void;
};

export const bearer = (ticket: TicketHolder): { readonly Authorization: string } => ({
  Authorization: `Bearer ${ticket.current()}`,
});

/** Whether the same request may pass later: the server is busy, ill or full, or the ticket is to be renewed. */
export const isForLater = (status: number): boolean =>
  status >= 500 || status === 401 || status === 408 || status === 425 || status === 429;
