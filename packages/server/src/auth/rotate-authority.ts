/** Replacing the server's own authority, step by step: who would be cut off is counted first, and each step is in the audit. */
import { Refusal } from '@longarm/contract/errors';
import type { Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { AuditStore } from '../audit/ports.ts';
import type { MachineStore, Unaware } from '../machines/ports.ts';
import { type Authorities, fingerprintOf } from './certificates/authorities.ts';
import type { CertificateKeeper } from './certificates/certificate-keeper.ts';
import { type RotationStep, stepFault } from './certificates/rotation-steps.ts';
import type { EnrolTokenRecord } from './ports.ts';

export type AuthorityState = {
  readonly authorities: Authorities;
  /** Devices that do not know the next authority, or without one the current. */
  readonly unaware: Unaware;
  /** Enrolment tokens that are good and name the old authority alone. */
  readonly olderTokens: number;
};

export type RotateAuthority = {
  readonly state: () => Promise<AuthorityState>;
  /** Throws BadRequest where the step does not apply, or would cut devices off and that was not agreed to. */
  readonly take: (
    step: RotationStep,
    by: { readonly actor: string; readonly mayLose: boolean },
  ) => Promise<AuthorityState>;
};

type RotateIo = {
  readonly certificates: Pick<CertificateKeeper, 'current' | 'take'>;
  readonly machines: Pick<MachineStore, 'unaware'>;
  readonly enrolTokens: () => Promise<readonly EnrolTokenRecord[]>;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly tenantId: TenantId;
  readonly now: () => EpochMs;
};

/** Steps after which who knows the old authority alone does not connect any more. */
const CUTS_OFF: ReadonlySet<RotationStep> = new Set(['switch', 'retire']);

const NAMED = 5;

const refuseLoss = ({ count, machines }: Unaware): never => {
  const names = machines.slice(0, NAMED).map(({ name, id }) => `${name} (${id})`);
  const more = count > names.length ? ` and ${count - names.length} more` : '';
  throw new Refusal(
    'BadRequest',
    `Nothing was changed: ${count} ${count === 1 ? 'device does' : 'devices do'} not know the next authority yet and would be cut off until enrolled anew: ${names.join(', ')}${more}. ` +
      'Wait until they have connected (`longarm ca status` lists them), or give --even-if-devices-are-lost.',
  );
};

const isGood = ({ revoked, expiresAt, uses, maxUses }: EnrolTokenRecord, now: EpochMs): boolean =>
  !revoked && (expiresAt === null || expiresAt > now) && (maxUses === null || uses < maxUses);

const namesOf = ({ current, next, signer }: Authorities): Record<string, Sha256 | string | null> => ({
  current: fingerprintOf(current),
  next: next === null ? null : fingerprintOf(next),
  signer,
});

const stateOf = async (io: RotateIo): Promise<AuthorityState> => {
  const { authorities } = io.certificates.current();
  const { current, next, serial } = authorities;
  const [unaware, tokens] = await Promise.all([
    io.machines.unaware(fingerprintOf(next ?? current)),
    next === null ? [] : io.enrolTokens(),
  ]);
  const olderTokens = tokens.filter((token) => isGood(token, io.now()) && token.createdAt < serial).length;
  return { authorities, unaware, olderTokens };
};

/** The audit comes first: a crash may leave an entry of a step that was not taken, never a step that nobody finds. */
export const rotateAuthority = (io: RotateIo): RotateAuthority => ({
  state: () => stateOf(io),
  take: async (step, { actor, mayLose }) => {
    const { authorities } = io.certificates.current();
    const fault = stepFault(step, authorities);
    if (fault !== null) throw new Refusal('BadRequest', fault);
    const { unaware } = await stateOf(io);
    const lost = CUTS_OFF.has(step) ? unaware.count : 0;
    if (lost > 0 && !mayLose) refuseLoss(unaware);
    const entry = { tenantId: io.tenantId, at: io.now(), actor, event: `authority.${step}`, subject: 'server' };
    await io.audit.append([{ ...entry, detail: { before: namesOf(authorities), devicesCutOff: lost } }]);
    await io.certificates.take(step);
    return stateOf(io);
  },
});
