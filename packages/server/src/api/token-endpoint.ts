/**
 * `POST /{tenant}/oauth2/token` (v1) and `/{tenant}/oauth2/v2.0/token`: the body is read as a form whatever its
 * Content-Type says, since some clients send none; HTTP Basic (RFC 6749 2.3.1) works too.
 */
import { Refusal } from '@longarm/contract/errors';
import { TOKEN_BODY_BYTES } from '@longarm/contract/limits';
import type { TokenAnswer, TokenRequest } from '../auth/issue-token.ts';
import { OAUTH_FAULTS, OAuthFault } from '../auth/oauth-fault.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { readBody } from '../http/read-body.ts';

type TokenIo = {
  readonly issueToken: (request: TokenRequest) => Promise<TokenAnswer>;
  readonly newId: () => string;
  readonly now: () => number;
};

const PATH = /^\/+([^/]+)\/oauth2\/(v2\.0\/)?token\/?$/i;

type Credentials = { readonly id: string | null; readonly secret: string | null };

const basicCredentials = (authorization: string | null): Credentials => {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return { id: null, secret: null };
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { id, secret: secret.join(':') };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const faultAnswer = (io: TokenIo, fault: OAuthFault): Response => {
  const { status, number } = OAUTH_FAULTS[fault.error];
  const trace = io.newId();
  return jsonAnswer(
    {
      error: fault.error,
      error_description: `AADSTS${number}: ${fault.message}`,
      error_codes: [number],
      timestamp: new Date(io.now())
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z'),
      trace_id: trace,
      correlation_id: trace,
    },
    status,
  );
};

const requestOf = async (request: Request, path: RegExpExecArray, base: string): Promise<TokenRequest> => {
  if (request.method !== 'POST')
    throw new OAuthFault(
      'invalid_request',
      `A token request is a POST with a form as its body, got ${request.method}.`,
    );
  const form = new URLSearchParams(await readBody(request, TOKEN_BODY_BYTES));
  const basic = basicCredentials(request.headers.get('authorization'));
  return {
    tenant: decoded(path[1] ?? ''),
    version: path[2] === undefined ? 1 : 2,
    grantType: form.get('grant_type'),
    clientId: form.get('client_id') ?? basic.id,
    clientSecret: form.get('client_secret') ?? basic.secret,
    scope: form.get('scope'),
    resource: form.get('resource'),
    base,
  };
};

/** Null for a path that is not a token endpoint's. Other faults are thrown. */
export const tokenDoor =
  (io: TokenIo) =>
  async (request: Request, path: string, base: string): Promise<Response | null> => {
    const match = PATH.exec(path);
    if (match === null) return null;
    try {
      return jsonAnswer(await io.issueToken(await requestOf(request, match, base)));
    } catch (fault) {
      if (fault instanceof OAuthFault) return faultAnswer(io, fault);
      // what the reading of the body refuses is told in this endpoint's form too
      if (fault instanceof Refusal) return faultAnswer(io, new OAuthFault('invalid_request', fault.message));
      throw fault;
    }
  };
