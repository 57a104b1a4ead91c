/** Access tokens: real JWTs, since clients of the original decode them. Roles in `roles`, the tenant in `tid`. */
import { TOKEN_SECONDS } from '@longarm/contract/limits';
import { SignJWT } from 'jose';
import type { ApplicationRecord } from '../ports.ts';
import type { TokenKey } from '../token-keys.ts';
import { resourceOf, type TokenAnswer, type TokenRequest } from '../token-request.ts';

export type SignerIo = { readonly key: TokenKey; readonly now: () => number; readonly newId: () => string };

type Token = {
  readonly application: ApplicationRecord;
  readonly subject: string;
  /** What differs between an application's own token and one of a person. */
  readonly claims: Readonly<Record<string, unknown>>;
};

export const applicationToken = (application: ApplicationRecord): Token => ({
  application,
  subject: application.id,
  claims: { idtyp: 'app', oid: application.id, roles: [...application.roles] },
});

/** Numbers are numbers, but for what the v1 endpoint has besides, which are texts. */
export const signToken =
  (io: SignerIo) =>
  async (request: TokenRequest, { application, subject, claims }: Token): Promise<TokenAnswer> => {
    const issuedAt = Math.floor(io.now() / 1_000);
    const audience = resourceOf(request);
    const seconds = TOKEN_SECONDS - 1;
    const jwt = await new SignJWT({
      appid: application.id,
      app_displayname: application.name,
      ...claims,
      tid: application.tenantId,
      ver: request.version === 1 ? '1.0' : '2.0',
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: io.key.kid })
      .setIssuer(`${request.base}/${application.tenantId}/`)
      .setAudience(audience)
      .setSubject(subject)
      .setJti(io.newId())
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(issuedAt + TOKEN_SECONDS)
      .sign(io.key.privateKey);
    const v1 = { expires_on: String(issuedAt + seconds), not_before: String(issuedAt), resource: audience };
    return {
      token_type: 'Bearer',
      expires_in: seconds,
      ext_expires_in: seconds,
      ...(request.version === 1 ? v1 : {}),
      access_token: jwt,
    };
  };
