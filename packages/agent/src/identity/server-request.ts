/** HTTP to the enrolled server: its address, and the only authorities that are believed. */
import type { Fetch } from './server-trust.ts';

/** A request to a path below the server's address. Rejects when there is no answer; any HTTP status is an answer. */
export type ServerRequest = (path: string, init?: RequestInit) => Promise<Response>;

export type ServerAddress = {
  readonly serverUrl: string;
  /** As it is when the request is made: the server may replace its authority meanwhile. */
  readonly caPem: () => string | null;
};

/** TLS options for requests and sockets: full verification, against the pinned authorities where there are some. */
export const tlsOptions = ({ caPem }: Pick<ServerAddress, 'caPem'>): { readonly tls?: { readonly ca: string } } => {
  const ca = caPem();
  return ca === null ? {} : { tls: { ca } };
};

export const serverRequest =
  (fetch: Fetch, address: ServerAddress): ServerRequest =>
  (path, init = {}) =>
    // a redirect would carry the ticket to somebody else
    fetch(address.serverUrl + path, { ...init, ...tlsOptions(address), redirect: 'error' });
