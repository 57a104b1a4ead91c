/** Enrolment: with a token, once, a device becomes a machine of a server (docs/agent-protocol.md). */
import { createHash } from 'node:crypto';
import { Sha256 } from '@longarm/contract/ids';
import { type EnrolToken, parseEnrolToken } from '@longarm/contract/wire/enrol-token';
import { EnrolAnswer, type EnrolRequest } from '@longarm/contract/wire/enrolment';
import { AGENT_PATHS, enrolProofText } from '@longarm/contract/wire/protocol';
import { z } from 'zod';
import type { Platform } from '../platform/platform.ts';
import type { Identity } from './identity-file.ts';
import type { DeviceKeys } from './keys.ts';
import { readText } from './read-text.ts';
import { serverRequest } from './server-request.ts';
import { type Fetch, fetchAuthorities } from './server-trust.ts';

export type EnrolIo = {
  readonly fetch: Fetch;
  readonly platform: Pick<Platform, 'facts' | 'hardwareIdentity'>;
  readonly keys: DeviceKeys;
  readonly pause: (delayMs: number) => Promise<void>;
};

export type Enrolment = {
  readonly serverUrl: string;
  /** The text of an enrolment token. */
  readonly token: string;
  /** Absolute path of the state folder: several agents may live on one device, in folders of their own. */
  readonly stateFolder: string;
};

/** The same agent at the same place: SHA-256 over the machine's own identity and the state folder's path. */
export const hardwareIdOf = (platform: Pick<Platform, 'hardwareIdentity'>, stateFolder: string): Sha256 =>
  Sha256.parse(createHash('sha256').update(`${platform.hardwareIdentity()}\n${stateFolder}`).digest('hex'));

const requestBody = (io: EnrolIo, enrolment: Enrolment, token: EnrolToken): EnrolRequest => {
  const hardwareId = hardwareIdOf(io.platform, enrolment.stateFolder);
  const { publicKey } = io.keys;
  return {
    token: enrolment.token.trim(),
    publicKey,
    hardwareId,
    proof: io.keys.sign(enrolProofText({ tokenId: token.id, publicKey, hardwareId })),
    facts: io.platform.facts(),
  };
};

/** An answer to an enrolment is a few hundred bytes. */
const ANSWER_BYTES = 65_536;

const Refused = z.object({ error: z.object({ message: z.string() }) });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const readAnswer = async (answer: Response, keys: DeviceKeys): Promise<EnrolAnswer> => {
  const body = parseJson(await readText(answer, ANSWER_BYTES));
  if (!answer.ok) {
    const said = Refused.safeParse(body).data?.error.message ?? 'it gave no reason';
    throw new Error(`the server refused to enrol this device: HTTP ${answer.status}, ${JSON.stringify(said)}`);
  }
  const parsed = EnrolAnswer.safeParse(body);
  if (!parsed.success) throw new Error('expected the answer to an enrolment, got something else from this address');
  if (parsed.data.machineId !== keys.machineId)
    throw new Error(`expected to become machine ${keys.machineId}, got ${parsed.data.machineId}`);
  return parsed.data;
};

/** A server that enrols many says when to come back; this often it is obeyed, and for so long at most. */
const RETURNS = 20;
const LONGEST_AWAY_SECONDS = 300;

const whenAdmitted = async (io: EnrolIo, ask: () => Promise<Response>): Promise<Response> => {
  for (let times = 0; ; times++) {
    const answer = await ask();
    if (answer.status !== 429 || times === RETURNS) return answer;
    await answer.body?.cancel();
    const seconds = Number(answer.headers.get('Retry-After') ?? '1');
    await io.pause(1_000 * Math.min(LONGEST_AWAY_SECONDS, Number.isFinite(seconds) ? Math.max(1, seconds) : 1));
  }
};

/** Enrols, and gives what is to be kept. Throws a sentence when the token is bad, or the server another or away. */
export const enrol = async (io: EnrolIo, enrolment: Enrolment): Promise<Identity> => {
  const token = parseEnrolToken(enrolment.token);
  if (token === null)
    throw new Error(
      'expected an enrolment token of the form longarm1.….….…, got something else. Ask the server for one.',
    );
  const { serverUrl } = enrolment;
  const isTls = serverUrl.startsWith('https:');
  const isPinned = isTls && token.authorities.length > 0;
  const caPem = isPinned ? await fetchAuthorities(io.fetch, serverUrl, token.authorities) : null;
  const request = serverRequest(io.fetch, { serverUrl, caPem: () => caPem });
  const answer = await whenAdmitted(io, () =>
    request(AGENT_PATHS.enrol, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(requestBody(io, enrolment, token)),
    }),
  );
  const { machineId, tenantId, audience, envelopeKey } = await readAnswer(answer, io.keys);
  return { version: 1, serverUrl, machineId, tenantId, audience, envelopeKey, caPem };
};
