/**
 * Trust at first contact: the enrolment token carries the SHA-256 of the certificate authorities that the server made
 * for itself, so they may be fetched from anybody, and each is believed only when it fits.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { Sha256 } from '@longarm/contract/ids';
import { AUTHORITIES_CHARACTERS, certificateBlocks } from '@longarm/contract/wire/authorities';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { readText } from './read-text.ts';

export type Fetch = (url: string, init?: BunFetchRequestInit) => Promise<Response>;

const fingerprintOf = (block: string): Sha256 | null => {
  try {
    return Sha256.parse(createHash('sha256').update(new X509Certificate(block).raw).digest('hex'));
  } catch {
    return null;
  }
};

/** Certificates in a text, by their SHA-256; what is none is left out. */
export const authoritiesIn = (pem: string): ReadonlyMap<Sha256, string> =>
  new Map(
    certificateBlocks(pem).flatMap((block) => {
      const fingerprint = fingerprintOf(block);
      return fingerprint === null ? [] : [[fingerprint, block] as const];
    }),
  );

/** The server's authorities that the token names, PEM, and no others. Throws a sentence when there is none of them. */
export const fetchAuthorities = async (
  fetch: Fetch,
  serverUrl: string,
  expected: readonly Sha256[],
): Promise<string> => {
  const url = serverUrl + AGENT_PATHS.certificate;
  // nothing vouches for the answer yet: fingerprints do
  const answer = await fetch(url, { tls: { rejectUnauthorized: false }, redirect: 'error' });
  const pem = await readText(answer, AUTHORITIES_CHARACTERS);
  const got = answer.ok ? authoritiesIn(pem) : new Map<Sha256, string>();
  // what comes beside an authority that fits is anybody's
  const trusted = expected.flatMap((fingerprint) => got.get(fingerprint) ?? []);
  if (trusted.length > 0) return trusted.join('');
  const [named, found] = [expected.join(' or '), [...got.keys()].join(' and ')];
  throw new Error(
    got.size === 0
      ? `${url}: expected the server's certificate authority, got HTTP ${answer.status} without a certificate. Is this the address of a Longarm server?`
      : `${url}: expected the certificate authority that the enrolment token names (SHA-256 ${named}), got another (${found}). Somebody may stand between this device and its server, or the token is of another server, or older than its authority: ask for a new one. Nothing was sent.`,
  );
};
