/** What the agents of one process share. */
import type { KeyObject } from 'node:crypto';
import type { Sha256, TenantId } from '@longarm/contract/ids';
import type { Report } from '@longarm/contract/wire/to-server';
import type { Trust } from '../identity/server-trust.ts';
import type { Behaviour } from './behaviour.ts';
import type { Tally } from './tally.ts';

/** Bytes and their hash; made once, since every agent says the same. `base64` is empty for those that need an upload. */
export type Content = { readonly bytes: Uint8Array<ArrayBuffer>; readonly sha256: Sha256; readonly base64: string };

export type FleetIo = {
  /** The server's address as this process reaches it, without a slash at its end. */
  readonly server: string;
  /** How many addresses of loopback it answers at; see `addressOf`. */
  readonly addresses: number;
  readonly seed: string;
  readonly trust: Trust;
  /** From the answers to enrolment. */
  readonly audience: string;
  readonly tenantId: TenantId;
  readonly envelopeKey: KeyObject;
  readonly behaviour: Behaviour;
  /** What scripts say and files hold; and what the error output is. */
  readonly output: Content;
  readonly nothing: Content;
  readonly tally: Tally;
  /** Milliseconds on a clock that nobody can set. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
};

export type Fact = Report['fact'];
