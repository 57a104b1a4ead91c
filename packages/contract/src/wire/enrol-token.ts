/**
 * The text of an enrolment token: `longarm1.<id>.<secret>.<fingerprint>`. The id finds the row, the secret is compared
 * with its hash, the fingerprint (SHA-256 of the CA certificate's DER, hex; `none` where the server has no TLS of its own
 * making) lets the device trust the server at first contact. While the CA is being replaced there are two, each behind a full stop.
 */
import { Sha256 } from '../ids.ts';
import { AUTHORITIES_AT_ONCE } from './authorities.ts';

export type EnrolToken = {
  readonly id: string;
  readonly secret: string;
  /** Fingerprints of those that the server is trusted by; none where the system's trust is to do. */
  readonly authorities: readonly Sha256[];
};

const FINGERPRINT = '[0-9a-f]{64}';
const FORM = new RegExp(
  `^longarm1\\.([A-Za-z0-9_-]{8,64})\\.([A-Za-z0-9_-]{20,128})\\.(${FINGERPRINT}(?:\\.${FINGERPRINT}){0,${AUTHORITIES_AT_ONCE - 1}}|none)$`,
);

export const formatEnrolToken = ({ id, secret, authorities }: EnrolToken): string =>
  `longarm1.${id}.${secret}.${authorities.length === 0 ? 'none' : authorities.join('.')}`;

/** The token's parts, or null where the text has not the form. */
export const parseEnrolToken = (text: string): EnrolToken | null => {
  const match = FORM.exec(text.trim());
  if (match === null) return null;
  const [, id = '', secret = '', named = ''] = match;
  const authorities = named === 'none' ? [] : named.split('.').map((fingerprint) => Sha256.parse(fingerprint));
  return { id, secret, authorities };
};
