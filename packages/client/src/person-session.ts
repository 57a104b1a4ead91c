/** Signing in as a person by device code (RFC 8628), and the session that it gives. */
import { z } from 'zod';
import { type ApiFailure, readApiFailure } from './api-failure.ts';
import type { Transport } from './transport.ts';
import { parseAnswer, readJson } from './unexpected-answer.ts';
import { reach } from './unreachable.ts';
import { type ClientWorld, pause } from './world.ts';

export const PersonSession = z.object({
  accessToken: z.string().min(1),
  /** When to ask for the next one: before this one is over. Milliseconds since 1970. */
  renewAtMs: z.number(),
  refreshToken: z.string().min(1),
});
export type PersonSession = z.infer<typeof PersonSession>;

/** Where a session is kept: several programs may use it, so it is read again before it is renewed. */
export type SessionKeeper = {
  readonly read: () => Promise<PersonSession | null>;
  readonly write: (session: PersonSession) => Promise<void>;
};

export type SessionIo = {
  readonly server: URL;
  readonly tenant: string;
  readonly clientId: string;
  readonly transport: Transport;
  readonly trusted: BunFetchRequestInit;
  readonly world: ClientWorld;
};

const TokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number(),
  refresh_token: z.string().min(1),
});

const CodeAnswer = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  interval: z.coerce.number().min(1),
});
export type DeviceCode = z.infer<typeof CodeAnswer>;

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const MARGIN_MS = 300_000;
/** RFC 8628 3.5. */
const SLOWER_MS = 5_000;

const ask = async (io: SessionIo, endpoint: 'token' | 'devicecode', form: Readonly<Record<string, string>>) => {
  const url = new URL(`${encodeURIComponent(io.tenant)}/oauth2/v2.0/${endpoint}`, io.server).href;
  const body = new URLSearchParams({ client_id: io.clientId, ...form }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  return await reach(url, () =>
    io.transport(url, { method: 'POST', body, headers, redirect: 'manual', ...io.trusted }),
  );
};

const sessionOf = async (io: SessionIo, response: Response): Promise<PersonSession> => {
  const answer = parseAnswer(TokenAnswer, await readJson(response, 'the token request'), 'the token request');
  const lifeMs = answer.expires_in * 1_000;
  const renewAtMs = io.world.now() + lifeMs - Math.min(MARGIN_MS, lifeMs / 10);
  return { accessToken: answer.access_token, renewAtMs, refreshToken: answer.refresh_token };
};

/** Throws `ApiFailure` when the session is over, or was ended. */
export const renewSession = async (io: SessionIo, session: PersonSession): Promise<PersonSession> => {
  const response = await ask(io, 'token', { grant_type: 'refresh_token', refresh_token: session.refreshToken });
  if (!response.ok) throw await readApiFailure(response, io.world.now());
  return sessionOf(io, response);
};

const waitAfter = (failure: ApiFailure, intervalMs: number): number => {
  if (failure.code === 'authorization_pending') return intervalMs;
  if (failure.code === 'slow_down') return intervalMs + SLOWER_MS;
  throw failure;
};

/** `show` tells the person where to go. Throws `ApiFailure` when the person declines, or does not come in time. */
export const signInByDeviceCode = async (
  io: SessionIo,
  show: (code: DeviceCode) => Promise<void>,
  signal: AbortSignal,
): Promise<PersonSession> => {
  const started = await ask(io, 'devicecode', { scope: 'offline_access' });
  if (!started.ok) throw await readApiFailure(started, io.world.now());
  const code = parseAnswer(CodeAnswer, await readJson(started, 'the device code'), 'the device code');
  await show(code);
  for (let intervalMs = code.interval * 1_000; ; ) {
    await pause(io.world, intervalMs, signal);
    const polled = await ask(io, 'token', { grant_type: GRANT, device_code: code.device_code });
    if (polled.ok) return sessionOf(io, polled);
    intervalMs = waitAfter(await readApiFailure(polled, io.world.now()), intervalMs);
  }
};
