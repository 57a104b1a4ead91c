/** Access tokens by client credentials (RFC 6749, 4.4) or of a person's session, kept until shortly before they expire. */
import { z } from 'zod';
import { readApiFailure } from './api-failure.ts';
import { renewSession, type SessionKeeper } from './person-session.ts';
import type { Transport } from './transport.ts';
import { parseAnswer, readJson } from './unexpected-answer.ts';
import { reach } from './unreachable.ts';
import type { ClientWorld } from './world.ts';

/** `tenant`: a GUID, or `default` for the first tenant of the server. */
export type Credentials = { readonly tenant: string; readonly clientId: string } & (
  | { readonly clientSecret: string }
  | { readonly session: SessionKeeper }
);

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number() });

/** The scope that clients of the original ask for; any is accepted. */
const SCOPE = 'https://api.securitycenter.microsoft.com/.default';
/** A token is renewed this long before it expires, or after nine tenths of a short life. */
const MARGIN_MS = 300_000;

export type TokenSource = {
  /** A token that is good for a while. Throws `ApiFailure` (wrong credentials) or `Unreachable`. */
  readonly get: () => Promise<string>;
  /** Says that the server refused this token: the next `get` asks for a new one. */
  readonly forget: (token: string) => void;
};

type TokenIo = {
  readonly server: URL;
  readonly credentials: Credentials;
  readonly transport: Transport;
  readonly trusted: BunFetchRequestInit;
  readonly world: ClientWorld;
  /** The token that the server took no more. */
  readonly refused?: string | null;
};

type Held = { readonly token: string; readonly renewAtMs: number };

/** Another program may have renewed it meanwhile: a refresh token that is used twice would end the session. */
const tokenOfSession = async (io: TokenIo, keeper: SessionKeeper): Promise<Held> => {
  const kept = await keeper.read();
  if (kept === null) throw new Error('The session is gone. Sign in again: `longarm login --device-code`.');
  if (io.world.now() < kept.renewAtMs && kept.accessToken !== io.refused)
    return { token: kept.accessToken, renewAtMs: kept.renewAtMs };
  const { tenant, clientId } = io.credentials;
  const renewed = await renewSession({ ...io, tenant, clientId }, kept);
  await keeper.write(renewed);
  return { token: renewed.accessToken, renewAtMs: renewed.renewAtMs };
};

const requestToken = async (io: TokenIo): Promise<Held> => {
  if ('session' in io.credentials) return tokenOfSession(io, io.credentials.session);
  const { tenant, clientId, clientSecret } = io.credentials;
  const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, io.server).href;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: SCOPE };
  const body = new URLSearchParams(form).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  return await reach(url, async () => {
    const askedAtMs = io.world.now();
    const response = await io.transport(url, { method: 'POST', body, headers, redirect: 'manual', ...io.trusted });
    if (!response.ok) throw await readApiFailure(response, io.world.now());
    const answer = parseAnswer(TokenAnswer, await readJson(response, 'the token request'), 'the token request');
    const lifeMs = answer.expires_in * 1000;
    return { token: answer.access_token, renewAtMs: askedAtMs + lifeMs - Math.min(MARGIN_MS, lifeMs / 10) };
  });
};

/** One request at a time, however many callers wait for its token. */
export const createTokenSource = (io: TokenIo): TokenSource => {
  let held: Held | null = null;
  let running: Promise<Held> | null = null;
  let refused: string | null = null;
  return {
    get: async () => {
      if (held !== null && io.world.now() < held.renewAtMs) return held.token;
      running ??= requestToken({ ...io, refused }).finally(() => {
        running = null;
      });
      held = await running;
      return held.token;
    },
    forget: (token) => {
      refused = token;
      if (held?.token === token) held = null;
    },
  };
};
