/** HTTP to the enrolled server: its address, and the only authority that is believed. */
import type { Fetch } from './server-trust.ts';

/** A request to a path below the server's address. Rejects when there is no answer; any HTTP status is an answer. */
export type ServerRequest = (path: string, init?: RequestInit) => Promise<Response>;

export type ServerAddress = { readonly serverUrl: string; readonly caPem: string | null };

/** TLS options for requests and sockets: full verification, against the pinned authority where there is one. */
export const tlsOptions = ({ caPem }: ServerAddress): { readonly tls?: { readonly ca: string } } =>
  caPem === null ? {} : { tls: { ca: caPem } };

export const serverRequest =
  (fetch: Fetch, address: ServerAddress): ServerRequest =>
  (path, init = {}) =>
    // a redirect would carry the ticket to somebody else
    fetch(address.serverUrl + path, { ...init, ...tlsOptions(address), redirect: 'error' });
