/**
 * Trust at first contact: the enrolment token carries the SHA-256 of the certificate authority that the server made
 * for itself, so the authority may be fetched from anybody and is believed only when it fits.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { Sha256 } from '@longarm/contract/ids';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { readText } from './read-text.ts';

/** A certificate is a few thousand characters; what sends more is no server of ours. */
const PEM_BYTES = 65_536;

export type Fetch = (url: string, init?: BunFetchRequestInit) => Promise<Response>;

const fingerprintOf = (pem: string): string | null => {
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  } catch {
    return null;
  }
};

/** The server's authority, PEM, compared with the fingerprint. Throws a sentence when it is another or none. */
export const fetchAuthority = async (fetch: Fetch, serverUrl: string, expected: Sha256): Promise<string> => {
  const url = serverUrl + AGENT_PATHS.certificate;
  // nothing vouches for the answer yet: its fingerprint does
  const answer = await fetch(url, { tls: { rejectUnauthorized: false }, redirect: 'error' });
  const pem = await readText(answer, PEM_BYTES);
  const got = answer.ok ? fingerprintOf(pem) : null;
  if (got === expected) return pem;
  throw new Error(
    got === null
      ? `${url}: expected the server's certificate authority, got HTTP ${answer.status} without a certificate. Is this the address of a Longarm server?`
      : `${url}: expected the certificate authority that the enrolment token names (SHA-256 ${expected}), got another (${got}). Somebody may stand between this device and its server, or the token is of another server. Nothing was sent.`,
  );
};
