/** `devicecode` (RFC 8628 3.1 and 3.2): a code for the device to poll with, and one for the person to type. */
import { randomInt } from 'node:crypto';
import { authenticateClient, type ClientIo } from '../clients/authenticate-client.ts';
import type { GrantStore } from '../grant-ports.ts';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { requireTenant, type TokenRequest } from '../token-request.ts';
import { grantedScopes } from './scopes.ts';

type DeviceCodeIo = ClientIo & {
  readonly grants: Pick<GrantStore, 'addDeviceCode'>;
  readonly randomText: (bytes: number) => string;
  readonly defaultTenant: Parameters<typeof requireTenant>[1];
};

const LIFE_SECONDS = 900;
const INTERVAL_SECONDS = 5;
const CODE_BYTES = 32;
/** No vowels, no words; no digit that looks like a letter (RFC 8628 6.1). */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';

/** Where people type the code, below the server's address. */
export const DEVICE_PATH = '/device';

/** The form in which a code is kept: `BCDF-GHJK`. Null for what is none. */
export const readUserCode = (text: string): string | null => {
  const letters = text.toUpperCase().replaceAll(/[^A-Z]/g, '');
  return /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/.test(letters) ? `${letters.slice(0, 4)}-${letters.slice(4)}` : null;
};

const newUserCode = (): string => {
  const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
};

/** Numbers are texts in v1, as Entra ID gives them. Throws OAuthFault. */
export const startDeviceCode =
  (io: DeviceCodeIo) =>
  async (request: TokenRequest): Promise<Readonly<Record<string, string | number>>> => {
    const tenantId = requireTenant(request.tenant, io.defaultTenant);
    const application = await authenticateClient(io)({ request, tenantId });
    if (!application.grants.includes('device_code'))
      throw new OAuthFault('grantNotAllowed', `The application '${application.id}' may not use the grant device_code.`);
    const deviceCode = io.randomText(CODE_BYTES);
    const userCode = newUserCode();
    const code = {
      sha256: hashSecret(deviceCode),
      userCode,
      applicationId: application.id,
      scopes: grantedScopes(request, application.scopes),
      expiresAt: io.now() + LIFE_SECONDS * 1_000,
      intervalMs: INTERVAL_SECONDS * 1_000,
    };
    await io.grants.addDeviceCode(code, io.now());
    const uri = `${request.base}${DEVICE_PATH}`;
    const number = (value: number) => (request.version === 1 ? String(value) : value);
    return {
      user_code: userCode,
      device_code: deviceCode,
      ...(request.version === 1 ? { verification_url: uri } : {}),
      verification_uri: uri,
      verification_uri_complete: `${uri}?user_code=${userCode}`,
      expires_in: number(LIFE_SECONDS),
      interval: number(INTERVAL_SECONDS),
      message: `To sign in, use a web browser to open the page ${uri} and enter the code ${userCode} to authenticate.`,
    };
  };
