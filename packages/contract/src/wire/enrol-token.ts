/**
 * The text of an enrolment token: `longarm1.<id>.<secret>.<fingerprint>`. The id finds the row, the secret is
 * compared with its hash, the fingerprint (SHA-256 of the CA certificate's DER, hex; `none` where the server
 * has no TLS of its own making) lets the device trust the server at first contact.
 */
import { Sha256 } from '../ids.ts';

export type EnrolToken = { readonly id: string; readonly secret: string; readonly caSha256: Sha256 | null };

const FORM = /^longarm1\.([A-Za-z0-9_-]{8,64})\.([A-Za-z0-9_-]{20,128})\.([0-9a-f]{64}|none)$/;

export const formatEnrolToken = (token: EnrolToken): string =>
  `longarm1.${token.id}.${token.secret}.${token.caSha256 ?? 'none'}`;

/** The token's parts, or null where the text has not the form. */
export const parseEnrolToken = (text: string): EnrolToken | null => {
  const match = FORM.exec(text.trim());
  if (match === null) return null;
  const [, id = '', secret = '', fingerprint = ''] = match;
  return { id, secret, caSha256: fingerprint === 'none' ? null : Sha256.parse(fingerprint) };
};
