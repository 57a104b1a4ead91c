/** What both directions of a transfer need. */
import { TRANSFER_PROOF_HEADER, transferPlace } from '@longarm/contract/wire/transfer-proof';
import type { Log } from '../platform/log.ts';
import type { After } from '../platform/timers.ts';

/** A request to a path below the server's address. Rejects when there is no answer; any HTTP status is an answer. */
export type SendRequest = (path: string, init?: RequestInit) => Promise<Response>;

export type TransferIo = {
  readonly request: SendRequest;
  /** Shows that this device holds its key: the text of a header, another one for each request. */
  readonly prove: (request: {
    readonly method: string;
    readonly path: string;
    readonly place: string;
    readonly ticket: string;
  }) => string;
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

type Headers = Readonly<Record<string, string>>;

/** These headers and what lets the request pass: the ticket, and a proof of this moment for this request alone. */
export const authorised = (
  io: Pick<TransferIo, 'prove'>,
  holder: TicketHolder,
  request: { readonly method: string; readonly path: string; readonly headers: Headers },
): Headers => {
  const { method, path, headers } = request;
  const ticket = holder.current();
  const place = transferPlace(method, (name) => headers[name]);
  const proof = io.prove({ method, path, place, ticket });
  return { ...headers, Authorization: `Bearer ${ticket}`, [TRANSFER_PROOF_HEADER]: proof };
};

/** Whether the same request may pass later: the server is busy, ill or full, the ticket is to be renewed, or the proof. */
export const isForLater = (status: number): boolean =>
  status >= 500 || status === 401 || status === 408 || status === 425 || status === 429;
