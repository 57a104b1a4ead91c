/** Which application asks, and that it is it: by one of its secrets, by its certificate, or without, as native ones. */
import { JWT_BEARER } from '@longarm/contract/application';
import { ApplicationId, type TenantId } from '@longarm/contract/ids';
import { isSameSecret } from '../../audit/same-secret.ts';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { AccessStore, ApplicationRecord, CredentialName, CredentialStore, SecretRecord } from '../ports.ts';
import { field, requireField, type TokenRequest } from '../token-request.ts';
import { subjectOf, verifyAssertion } from './verify-assertion.ts';

export type ClientIo = {
  readonly access: Pick<AccessStore, 'findApplication'>;
  readonly credentials: CredentialStore;
  readonly now: () => number;
};

type Claimed = { readonly request: TokenRequest; readonly tenantId: TenantId };

/** A hash that no secret has: compared with when the application is unknown, so that both take the same time. */
const NO_HASH = '0'.repeat(64);
/** How precisely the last use is told. */
const USED_MS = 60_000;

const WRONG = 'The client id is not known in this tenant, or the client secret is wrong.';

/** Who is asking, as it says itself; null for what is no application's id. */
export const claimedClient = (request: TokenRequest): string | null =>
  field(request, 'client_id') ?? subjectOf(field(request, 'client_assertion') ?? '');

const findClaimed = async (io: ClientIo, { request, tenantId }: Claimed): Promise<ApplicationRecord | null> => {
  const id = ApplicationId.safeParse(claimedClient(request)).data;
  const application = id === undefined ? null : await io.access.findApplication(id);
  return application?.tenantId === tenantId ? application : null;
};

const noteUse = async (io: ClientIo, name: CredentialName, lastUsedAt: number | null): Promise<void> => {
  if (lastUsedAt !== null && lastUsedAt > io.now() - USED_MS) return;
  await io.credentials.used(name, io.now());
};

/** Every secret is compared, whichever fits. */
const fitting = (secrets: readonly SecretRecord[], given: string): readonly SecretRecord[] => {
  const hash = hashSecret(given);
  const known = secrets.filter(({ secretSha256 }) => isSameSecret(secretSha256, hash));
  if (secrets.length === 0) isSameSecret(NO_HASH, hash);
  return known;
};

const bySecret = async (io: ClientIo, claimed: Claimed, secret: string): Promise<ApplicationRecord> => {
  const application = await findClaimed(io, claimed);
  const secrets = application === null ? [] : await io.credentials.secretsOf(application.id);
  const right = fitting(secrets, secret);
  if (application === null || right.length === 0) throw new OAuthFault('wrongSecret', WRONG);
  const valid = right.find(({ expiresAt }) => expiresAt === null || expiresAt > io.now());
  if (valid === undefined)
    throw new OAuthFault(
      'expiredSecret',
      'The client secret has expired. Have a new one made: `longarm app secret add`.',
    );
  await noteUse(io, { applicationId: application.id, kind: 'secret', id: valid.id }, valid.lastUsedAt);
  return application;
};

const byAssertion = async (io: ClientIo, claimed: Claimed, jwt: string): Promise<ApplicationRecord> => {
  const type = requireField(claimed.request, 'client_assertion_type');
  if (type !== JWT_BEARER)
    throw new OAuthFault('badRequest', `Expected the client_assertion_type ${JWT_BEARER}, got '${type}'.`);
  const application = await findClaimed(io, claimed);
  if (application === null)
    throw new OAuthFault(
      'wrongAssertion',
      'The client id is not known in this tenant, or the assertion is not its own.',
    );
  const { tenantId, request } = claimed;
  const verify = verifyAssertion({ credentials: io.credentials, now: io.now });
  const certificate = await verify({ jwt, applicationId: application.id, tenantId, base: request.base });
  await noteUse(io, { applicationId: application.id, kind: 'certificate', id: certificate.id }, certificate.lastUsedAt);
  return application;
};

const asNative = async (io: ClientIo, claimed: Claimed): Promise<ApplicationRecord> => {
  const application = await findClaimed(io, claimed);
  if (application?.isNative) return application;
  throw new OAuthFault(
    'noCredential',
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  );
};

/** Throws OAuthFault. Applications that are native need no credential, and have none. */
export const authenticateClient =
  (io: ClientIo) =>
  async (claimed: Claimed): Promise<ApplicationRecord> => {
    const { request } = claimed;
    const assertion = field(request, 'client_assertion');
    if (assertion !== null) return byAssertion(io, claimed, assertion);
    requireField(request, 'client_id');
    const secret = field(request, 'client_secret');
    if (secret !== null) return bySecret(io, claimed, secret);
    if (field(request, 'grant_type') === 'client_credentials') requireField(request, 'client_secret');
    return asNative(io, claimed);
  };
