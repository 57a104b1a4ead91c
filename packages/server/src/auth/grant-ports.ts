/** What was issued to applications on behalf of people and is not over yet. Each method is one atomic unit of work. */
import type { ApplicationId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Scope } from '@longarm/contract/permission';

/** Whom an application speaks for, and what for. */
export type Delegation = {
  readonly applicationId: ApplicationId;
  readonly personId: string;
  readonly scopes: readonly Scope[];
  /** A second factor was given. */
  readonly isStrong: boolean;
};

export type RefreshRecord = Delegation & {
  readonly sha256: string;
  /** All that follow from one sign-in. */
  readonly family: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
};

export type DeviceCodeRecord = Pick<Delegation, 'applicationId' | 'scopes'> & {
  readonly sha256: string;
  readonly userCode: string;
  readonly expiresAt: EpochMs;
  readonly intervalMs: number;
};

export type Polled =
  | { readonly kind: 'unknown' | 'expired' | 'slow' | 'pending' | 'denied' }
  | { readonly kind: 'approved'; readonly delegation: Delegation };

export type AuthorizationCodeRecord = Delegation & {
  readonly sha256: string;
  readonly redirectUri: string;
  /** RFC 7636, S256. */
  readonly challenge: string;
  readonly expiresAt: EpochMs;
};

export type GrantStore = {
  readonly addRefreshToken: (token: RefreshRecord) => Promise<void>;
  readonly findRefreshToken: (sha256: string) => Promise<RefreshRecord | null>;
  /** Puts `next` in its place; a token that was used before ends its whole family. */
  readonly rotateRefreshToken: (
    sha256: string,
    next: Pick<RefreshRecord, 'sha256' | 'expiresAt'>,
    now: EpochMs,
  ) => Promise<'rotated' | 'unknown' | 'expired' | 'reused'>;
  readonly addDeviceCode: (code: DeviceCodeRecord, now: EpochMs) => Promise<void>;
  /** One that still waits for its person. */
  readonly findUserCode: (userCode: string, now: EpochMs) => Promise<DeviceCodeRecord | null>;
  /** False when it does not wait any more. */
  readonly decideDeviceCode: (
    userCode: string,
    decision: { readonly personId: string; readonly isStrong: boolean; readonly isAllowed: boolean },
    now: EpochMs,
  ) => Promise<boolean>;
  /** An approved one is over with this. One that is polled too early has to wait five seconds longer each time. */
  readonly pollDeviceCode: (sha256: string, by: ApplicationId, now: EpochMs) => Promise<Polled>;
  readonly addAuthorizationCode: (code: AuthorizationCodeRecord, now: EpochMs) => Promise<void>;
  /** Good once: a second time ends what the first one got. `family` is that of the refresh tokens to come. */
  readonly takeAuthorizationCode: (
    sha256: string,
    family: string,
    now: EpochMs,
  ) => Promise<AuthorizationCodeRecord | 'unknown' | 'expired' | 'reused'>;
};
