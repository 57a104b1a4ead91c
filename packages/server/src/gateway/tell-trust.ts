/** Tells devices which authorities the server is trusted by: by the clock, so that a herd is told at a pace, and none is forgotten. */
import type { Sha256 } from '@longarm/contract/ids';
import type { Announcement } from '../auth/certificates/trust-statement.ts';
import { type Session, send } from './session.ts';

const NEVER_TOLD = 0;

/** What the device says that it believes, beside what was announced; null where it is to be told nothing. */
export const trustSerialOf = (
  trusted: readonly Sha256[] | undefined,
  announcement: Pick<Announcement, 'serial' | 'fingerprints'> | null,
): number | null => {
  // it does not understand, or goes by its system's trust
  if (trusted === undefined || trusted.length === 0) return null;
  if (announcement === null) return NEVER_TOLD;
  const { serial, fingerprints } = announcement;
  const isSame = trusted.length === fingerprints.length && fingerprints.every((each) => trusted.includes(each));
  return isSame ? serial : NEVER_TOLD;
};

/** Tells at most so many of those that have not been told this. Who does not take it is told with its next connection. */
export const tellTrust = (
  sessions: Iterable<Session>,
  { serial, statement }: Pick<Announcement, 'serial' | 'statement'>,
  most: number,
): void => {
  let told = 0;
  for (const session of sessions) {
    if (told === most) return;
    if (session.phase !== 'connected' || session.trustSerial === null || session.trustSerial >= serial) continue;
    session.trustSerial = serial;
    send(session, { type: 'trust', statement });
    told++;
  }
};
