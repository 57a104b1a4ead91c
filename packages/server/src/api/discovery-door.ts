/** What clients read to find their way: OpenID Connect Discovery 1.0, and the public key of our tokens (RFC 7517). */
import { COMMAND_LINE_CLAIM, DEFAULT_SCOPES } from '@longarm/contract/application';
import { parseTenantId, type TenantId } from '@longarm/contract/ids';
import { commandLineClient } from '../auth/clients/command-line-client.ts';
import type { AccessStore } from '../auth/ports.ts';
import type { TokenKey } from '../auth/token-keys.ts';
import { jsonAnswer } from '../http/json-answer.ts';

type DiscoveryIo = {
  readonly key: Pick<TokenKey, 'publicJwk'>;
  readonly tenant: TenantId;
  readonly access: Pick<AccessStore, 'listApplications'>;
};

const DOCUMENT = /^\/([^/]+)\/(v2\.0\/)?\.well-known\/openid-configuration\/?$/i;
const KEYS = /^\/([^/]+)\/discovery\/(?:v2\.0\/)?keys\/?$/i;

const documentOf = (base: string, tenant: TenantId, isV2: boolean) => {
  const oauth = `${base}/${tenant}/oauth2/${isV2 ? 'v2.0/' : ''}`;
  return {
    issuer: `${base}/${tenant}/`,
    authorization_endpoint: `${oauth}authorize`,
    token_endpoint: `${oauth}token`,
    device_authorization_endpoint: `${oauth}devicecode`,
    jwks_uri: `${base}/${tenant}/discovery/${isV2 ? 'v2.0/' : ''}keys`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
    grant_types_supported: [
      'client_credentials',
      'authorization_code',
      'refresh_token',
      'password',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
    scopes_supported: ['openid', 'offline_access', ...DEFAULT_SCOPES],
  };
};

const ownTenant = (io: DiscoveryIo, text: string): TenantId | null => {
  if (text.toLowerCase() === 'default') return io.tenant;
  return parseTenantId(text) === io.tenant ? io.tenant : null;
};

/** Anybody may know it: a client id proves nothing (RFC 6749 2.2). */
const commandLineOf = async (io: DiscoveryIo, tenant: TenantId) => {
  const client = commandLineClient(await io.access.listApplications(tenant));
  return client === null ? {} : { [COMMAND_LINE_CLAIM]: client };
};

/** Null for any other path. */
export const discoveryDoor =
  (io: DiscoveryIo) =>
  async (path: string, base: string): Promise<Response | null> => {
    const document = DOCUMENT.exec(path);
    const tenant = ownTenant(io, document?.[1] ?? KEYS.exec(path)?.[1] ?? '');
    if (tenant === null) return null;
    if (document !== null)
      return jsonAnswer({
        ...documentOf(base, tenant, document[2] !== undefined),
        ...(await commandLineOf(io, tenant)),
      });
    return jsonAnswer({ keys: [io.key.publicJwk] });
  };
