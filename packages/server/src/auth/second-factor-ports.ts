/**
 * What people prove themselves by besides a password: an authenticator app, security keys, recovery codes. Each method
 * is one atomic unit of work, and each change is told to the audit.
 */
import type { EpochMs } from '@longarm/contract/instant';

/** A credential of WebAuthn, public as it is: the private key never leaves the device that made it. */
export type SecurityKeyRecord = {
  /** The credential's id, base64url; unique here. */
  readonly id: string;
  readonly personId: string;
  /** What its owner calls it. */
  readonly name: string;
  /** COSE_Key (RFC 9052 7), base64url. */
  readonly publicKey: string;
  /** Of its last use; a key that counts nothing says 0 each time. */
  readonly counter: number;
  /** How a browser reaches it, as it said itself. */
  readonly transports: readonly string[];
  readonly createdAt: EpochMs;
  readonly lastUsedAt: EpochMs | null;
};

/** What the person had proven when they asked for the change. */
export type Proven = 'password' | 'second factor';

/**
 * `first`: there was no factor before, and the recovery codes are those that were given. `needs proof`: there is a
 * factor by now, and the person has proven a password only.
 */
export type FactorAdded = 'first' | 'further' | 'known' | 'too many' | 'needs proof';

export type Factor = { readonly kind: 'app' } | { readonly kind: 'key'; readonly id: string };

export type SecondFactorStore = {
  /** In the order in which they were added. */
  readonly keysOf: (personId: string) => Promise<readonly SecurityKeyRecord[]>;
  /** `recoverySha256` is kept where it is the person's first factor. */
  readonly addKey: (
    key: SecurityKeyRecord,
    by: { readonly proven: Proven; readonly recoverySha256: readonly string[] },
    now: EpochMs,
  ) => Promise<FactorAdded>;
  /** False, and told to the audit, when its counter did not grow: as that of a copy would not. */
  readonly keyUsed: (key: Pick<SecurityKeyRecord, 'id' | 'counter'>, now: EpochMs) => Promise<boolean>;
  /** Puts it in place of the app and the recovery codes that were there. */
  readonly setApp: (
    app: {
      readonly personId: string;
      /** Sealed. */
      readonly totpSecret: string;
      readonly step: number;
      readonly recoverySha256: readonly string[];
    },
    proven: Proven,
    now: EpochMs,
  ) => Promise<FactorAdded>;
  /** With the last one the recovery codes go. `last`: it stays, since the person has to have one. */
  readonly removeFactor: (
    of: { readonly personId: string; readonly keepsOne: boolean },
    factor: Factor,
    now: EpochMs,
  ) => Promise<'removed' | 'unknown' | 'last'>;
  /** False when this step or a later one was used before. */
  readonly useTotpStep: (personId: string, step: number) => Promise<boolean>;
  /** False when there is no such code left. */
  readonly useRecoveryCode: (personId: string, sha256: string, now: EpochMs) => Promise<boolean>;
};
