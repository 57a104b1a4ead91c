/** The server's own authority, by the local administrator: no other door replaces it. */
import type { AuthorityDescription } from '@longarm/contract/admin/authority-operations';
import { Refusal } from '@longarm/contract/errors';
import { formatInstant } from '@longarm/contract/instant';
import { fingerprintOf } from '../auth/certificates/authorities.ts';
import type { CertifiedKey } from '../auth/certificates/key-pair-file.ts';
import type { AuthorityState, RotateAuthority } from '../auth/rotate-authority.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';

/** `rotation` is null where the server shows a certificate that somebody else keeps, or none. */
export type AuthorityIo = { readonly rotation: RotateAuthority | null };

const summary = (pair: CertifiedKey) => ({
  sha256: fingerprintOf(pair),
  notBefore: formatInstant(pair.certificate.notBefore.getTime()),
  notAfter: formatInstant(pair.certificate.notAfter.getTime()),
});

const description = ({ authorities, unaware, olderTokens }: AuthorityState): AuthorityDescription => ({
  current: summary(authorities.current),
  next: authorities.next === null ? null : summary(authorities.next),
  signer: authorities.signer,
  machines: unaware.of,
  unaware: unaware.count,
  unawareMachines: unaware.machines.map(({ id, name, lastSeen, isOnline, tells }) => ({
    id,
    computerDnsName: name,
    lastSeen: formatInstant(lastSeen),
    isOnline,
    tells,
  })),
  olderEnrolTokens: olderTokens,
});

const required = ({ rotation }: AuthorityIo): RotateAuthority => {
  if (rotation !== null) return rotation;
  throw new Refusal(
    'BadRequest',
    'This server shows no certificate of its own making (--tls-cert or --tls off): whoever keeps its certificate replaces the authority behind it.',
  );
};

export const authorityOperations = (
  io: AuthorityIo,
): Pick<AdminOperations, 'describeAuthority' | 'changeAuthority'> => ({
  describeAuthority: async () => description(await required(io).state()),
  changeAuthority: async ({ step, evenIfDevicesAreLost }) =>
    description(await required(io).take(step, { actor: ACTOR, mayLose: evenIfDevicesAreLost })),
});
