/** Whom a fleet believes: the authority whose fingerprint the enrolment token names, as a real agent does. */
import { createHash, X509Certificate } from 'node:crypto';
import { certificateBlocks } from '@longarm/contract/wire/authorities';
import { type EnrolToken, parseEnrolToken } from '@longarm/contract/wire/enrol-token';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';

/** `tls` goes to each request and socket. The names in the certificate are not compared: the authority is pinned. */
export type Trust = { readonly tls?: { readonly ca: string; readonly checkServerIdentity: () => undefined } };

export const readToken = (text: string): EnrolToken => {
  const token = parseEnrolToken(text);
  if (token === null)
    throw new Error(
      'expected an enrolment token of the form longarm1.….….…, got something else. Ask the server for one.',
    );
  return token;
};

const fingerprintOf = (block: string): string =>
  createHash('sha256').update(new X509Certificate(block).raw).digest('hex');

/** Throws a sentence when the authority is another one. */
export const fetchTrust = async (server: string, token: EnrolToken): Promise<Trust> => {
  const { authorities } = token;
  if (!server.startsWith('https:') || authorities.length === 0) return {};
  const answer = await fetch(server + AGENT_PATHS.certificate, { tls: { rejectUnauthorized: false } });
  const blocks = answer.ok ? certificateBlocks(await answer.text()) : [];
  const trusted = blocks.filter((block) => authorities.some((named) => named === fingerprintOf(block)));
  if (trusted.length === 0)
    throw new Error(
      `${server}: expected the authority that the token names (SHA-256 ${authorities.join(' or ')}), got ${blocks.map(fingerprintOf).join(' and ') || 'none'}`,
    );
  return { tls: { ca: trusted.join(''), checkServerIdentity: () => undefined } };
};
