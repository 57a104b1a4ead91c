/**
 * `POST /{tenant}/oauth2/token` (v1) and `/{tenant}/oauth2/v2.0/token`, and `devicecode` beside them: the body is read as a form whatever its
 * Content-Type says, since some clients send none; HTTP Basic (RFC 6749 2.3.1) works too.
 */
import { Refusal } from '@longarm/contract/errors';
import { TOKEN_BODY_BYTES } from '@longarm/contract/limits';
import { OAuthFault } from '../auth/oauth-fault.ts';
import type { TokenAnswer, TokenRequest } from '../auth/token-request.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { readBody } from '../http/read-body.ts';

type TokenIo = {
  readonly issueToken: (request: TokenRequest) => Promise<TokenAnswer>;
  readonly startDeviceCode: (request: TokenRequest) => Promise<object>;
  readonly newId: () => string;
  readonly now: () => number;
};

const PATH = /^\/+([^/]+)\/oauth2\/(v2\.0\/)?(token|devicecode)\/?$/i;

type Credentials = { readonly id: string; readonly secret: string };

type Connection = { readonly base: string; readonly source: string | null };

/** Both of them, or none. */
const basicCredentials = (authorization: string | null): Credentials | null => {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return null;
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
  const { error, status, number } = fault.row;
  const trace = io.newId();
  return jsonAnswer(
    {
      error,
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
    fault.retryAfterSeconds === null ? {} : { 'Retry-After': String(fault.retryAfterSeconds) },
  );
};

/** Parameters by name; the first of a name counts. */
const parametersOf = (form: URLSearchParams, basic: Credentials | null): ReadonlyMap<string, string> => {
  const parameters = new Map([...form].reverse());
  if (basic === null) return parameters;
  if (!parameters.has('client_id')) parameters.set('client_id', basic.id);
  if (!parameters.has('client_secret')) parameters.set('client_secret', basic.secret);
  return parameters;
};

const requestOf = async (request: Request, path: RegExpExecArray, connection: Connection): Promise<TokenRequest> => {
  if (request.method !== 'POST')
    throw new OAuthFault('badRequest', `A token request is a POST with a form as its body, got ${request.method}.`);
  const form = new URLSearchParams(await readBody(request, TOKEN_BODY_BYTES));
  return {
    tenant: decoded(path[1] ?? ''),
    version: path[2] === undefined ? 1 : 2,
    form: parametersOf(form, basicCredentials(request.headers.get('authorization'))),
    ...connection,
  };
};

/** Null for a path that is not a token endpoint's. Other faults are thrown. */
export const tokenDoor =
  (io: TokenIo) =>
  async (request: Request, path: string, connection: Connection): Promise<Response | null> => {
    const match = PATH.exec(path);
    if (match === null) return null;
    try {
      const answer = /^token$/i.test(match[3] ?? '') ? io.issueToken : io.startDeviceCode;
      return jsonAnswer(await answer(await requestOf(request, match, connection)));
    } catch (fault) {
      if (fault instanceof OAuthFault) return faultAnswer(io, fault);
      // what the reading of the body refuses is told in this endpoint's form too
      if (fault instanceof Refusal) return faultAnswer(io, new OAuthFault('badRequest', fault.message));
      throw fault;
    }
  };
