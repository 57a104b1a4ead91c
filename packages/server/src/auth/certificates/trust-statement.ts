/** What devices are told to trust the server by: signed once for each change, and the same for all of them. */
import type { Sha256 } from '@longarm/contract/ids';
import type { TrustPayload } from '@longarm/contract/wire/authorities';
import type { Certificates } from './ensure-certificates.ts';

export type Announcement = {
  readonly serial: number;
  /** JWS. */
  readonly statement: string;
  readonly fingerprints: readonly Sha256[];
};

/** Null while nothing was ever announced: devices know the one authority from their enrolment. */
export type Announce = () => Announcement | null;

type AnnounceIo = {
  readonly current: () => Certificates;
  readonly audience: string;
  readonly sign: (payload: TrustPayload) => string;
};

export const announcer = ({ current, audience, sign }: AnnounceIo): Announce => {
  let last: Announcement | null = null;
  return () => {
    const { authorities, fingerprints } = current();
    const { serial, next } = authorities;
    if (serial === 0) return null;
    if (last?.serial === serial) return last;
    const trusted = [authorities.current, ...(next === null ? [] : [next])];
    const payload = { version: 1, audience, serial, authorities: trusted.map((pair) => pair.certificatePem) } as const;
    last = { serial, fingerprints, statement: sign(payload) };
    return last;
  };
};
