/**
 * Which authorities this device believes. A new one is believed on the word of its server alone: signed by the key that
 * it was enrolled with, so that nobody who ends TLS on the way can add one, and newer than what it was told before.
 */
import { X509Certificate } from 'node:crypto';
import type { Sha256 } from '@longarm/contract/ids';
import { AUTHORITIES_AT_ONCE, TRUST_TYPE, TrustPayload } from '@longarm/contract/wire/authorities';
import { type Identity, writeIdentity } from './identity-file.ts';
import { authoritiesIn } from './server-trust.ts';
import { type JwsFault, verifyJws } from './verify-jws.ts';

export type TrustOutcome =
  /** On the disk. */
  | { readonly kind: 'kept'; readonly trusted: readonly Sha256[] }
  | { readonly kind: 'refused'; readonly reason: string };

export type TrustKeeper = {
  /** PEM; null where this device goes by its system's trust. */
  readonly caPem: () => string | null;
  /** SHA-256 of each of them. */
  readonly trusted: () => readonly Sha256[];
  readonly take: (statement: string) => TrustOutcome;
};

const SENTENCES: Readonly<Record<JwsFault, string>> = {
  form: 'expected a JWS in compact form, got something else',
  header: 'expected a statement of trust signed with EdDSA, its header says something else',
  signature: 'it is not signed by the key that this device was enrolled with',
};

type Read = { readonly ok: true; readonly payload: TrustPayload } | { readonly ok: false; readonly reason: string };

const isAuthority = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
};

const readStatement = (statement: string, identity: Identity): Read => {
  const refused = (reason: string) => ({ ok: false, reason }) as const;
  if (identity.caPem === null)
    return refused('this device goes by the authorities that its system trusts, since it enrolled so');
  const verified = verifyJws(statement, { publicKey: identity.envelopeKey, type: TRUST_TYPE });
  if (!verified.ok) return refused(SENTENCES[verified.fault]);
  const { data: payload } = TrustPayload.safeParse(verified.payload);
  if (payload === undefined) return refused('it says what this agent does not understand');
  if (payload.audience !== identity.audience) return refused('it is of another server');
  if (payload.serial <= (identity.trustSerial ?? 0)) return refused('it is no newer than what this device was told');
  const [stranger] = payload.authorities.filter((pem) => !isAuthority(pem));
  return stranger === undefined ? { ok: true, payload } : refused('it holds what is no certificate of an authority');
};

const fingerprintsOf = ({ caPem }: Identity): readonly Sha256[] =>
  [...authoritiesIn(caPem ?? '').keys()].slice(0, AUTHORITIES_AT_ONCE);

/** Over the identity as it is in this file; it alone changes the file while the agent runs. */
export const trustKeeper = (path: string, enrolled: Identity): TrustKeeper => {
  let identity = enrolled;
  let trusted = fingerprintsOf(identity);
  return {
    caPem: () => identity.caPem,
    trusted: () => trusted,
    take: (statement) => {
      const read = readStatement(statement, identity);
      if (!read.ok) return { kind: 'refused', reason: read.reason };
      const { authorities, serial } = read.payload;
      // the one of each text that was looked at: what else stands there goes nowhere
      const caPem = authorities.map((pem) => `${new X509Certificate(pem).toString().trim()}\n`).join('');
      const next = { ...identity, caPem, trustSerial: serial };
      try {
        writeIdentity(path, next);
      } catch (fault) {
        return { kind: 'refused', reason: `it could not be kept: ${fault instanceof Error ? fault.message : fault}` };
      }
      identity = next;
      trusted = fingerprintsOf(identity);
      return { kind: 'kept', trusted };
    },
  };
};
