/** Whose security keys are: the name and the origin that WebAuthn binds them to, or why there can be none. */
import { isIP } from 'node:net';

export type RelyingParty = { readonly id: string; readonly origin: string };

const isLocal = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');

/**
 * Of the address that was configured, or is listened on: never of one that a request names (semantics 26). A text is
 * the sentence that says why not: WebAuthn Level 3, 5.1.3, wants a domain, and browsers a secure context.
 */
export const relyingPartyOf = (base: string): RelyingParty | string => {
  const { hostname, origin, protocol } = new URL(base);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0)
    return `Security keys need a server with a name, and this one is known as ${origin} only. Its administrator can give it one by --public-url.`;
  if (protocol !== 'https:' && !isLocal(hostname))
    return `Security keys need https, and this server is known as ${origin}. Its administrator can change that by --public-url.`;
  return { id: hostname, origin };
};
