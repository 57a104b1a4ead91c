/** Whom a fleet believes: the authority whose fingerprint the enrolment token names, as a real agent does. */
import { createHash, X509Certificate } from 'node:crypto';
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

/** Throws a sentence when the authority is another one. */
export const fetchTrust = async (server: string, token: EnrolToken): Promise<Trust> => {
  if (!server.startsWith('https:') || token.caSha256 === null) return {};
  const answer = await fetch(server + AGENT_PATHS.certificate, { tls: { rejectUnauthorized: false } });
  const ca = await answer.text();
  const got = answer.ok ? createHash('sha256').update(new X509Certificate(ca).raw).digest('hex') : 'none';
  if (got !== token.caSha256)
    throw new Error(`${server}: expected the authority that the token names (SHA-256 ${token.caSha256}), got ${got}`);
  return { tls: { ca, checkServerIdentity: () => undefined } };
};
