/** The agent's first two calls over plain HTTP: the CA to compare with its token, and enrolment. */
import { Refusal } from '@longarm/contract/errors';
import type { EpochMs } from '@longarm/contract/instant';
import { JSON_BODY_BYTES } from '@longarm/contract/limits';
import { type EnrolAnswer, EnrolRequest } from '@longarm/contract/wire/enrolment';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { jsonAnswer } from '../http/json-answer.ts';
import { readBody } from '../http/read-body.ts';
import type { Turn } from '../limits/pace.ts';
import type { SlidingWindows } from '../limits/sliding-window.ts';

/** Enrolments from one address that may be refused in a minute; many devices may stand behind one address. */
export const REFUSED_ENROLMENTS = { calls: 300, milliseconds: 60_000 } as const;

type EnrolIo = {
  /** Refused enrolments, by address. */
  readonly windows: SlidingWindows;
  readonly now: () => EpochMs;
  readonly admit: () => Turn;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly enrol: (request: EnrolRequest, externalIp: string | null) => Promise<EnrolAnswer>;
  /** PEM of the own CA, of both while one is being replaced; null when the server has no TLS of its own. */
  readonly caPem: () => string | null;
};

const parseRequest = (text: string): EnrolRequest => {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal('InvalidRequestBody', 'Expected a JSON body, got something else.');
  }
  const parsed = EnrolRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal('InvalidRequestBody', `${issue?.path.join('.')}: ${issue?.message}.`);
};

/** Waits for its turn; throws when that would be too long. */
const awaitTurn = async (io: EnrolIo): Promise<void> => {
  const turn = io.admit();
  if (turn.ok) return turn.waitMs === 0 ? undefined : io.pause(turn.waitMs);
  const retryAfterSeconds = Math.ceil(turn.retryAfterSeconds);
  throw new Refusal('TooManyRequests', `Too many devices enrol at once. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
};

/** Counts as refused until it succeeds; throws when its source had too many refused. */
const countRefused = (io: EnrolIo, remoteAddress: string | null) => {
  const taken = io.windows.take(remoteAddress ?? '', [REFUSED_ENROLMENTS], io.now());
  if (taken.ok) return taken;
  const retryAfterSeconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1_000));
  const sentence = `Too many enrolments from this address were refused: ${REFUSED_ENROLMENTS.calls} in a minute are allowed. Try again in ${retryAfterSeconds} s.`;
  throw new Refusal('TooManyRequests', sentence, { retryAfterSeconds });
};

/** Null for a request that is neither of the two. */
export const enrolRoutes =
  (io: EnrolIo) =>
  async (request: Request, path: string, remoteAddress: string | null): Promise<Response | null> => {
    if (path === AGENT_PATHS.certificate && request.method === 'GET') {
      const caPem = io.caPem();
      if (caPem === null) throw new Refusal('ResourceNotFound', 'This server has no certificate authority of its own.');
      return new Response(caPem, { headers: { 'Content-Type': 'application/x-pem-file' } });
    }
    if (path !== AGENT_PATHS.enrol || request.method !== 'POST') return null;
    const counted = countRefused(io, remoteAddress);
    const wanted = parseRequest(await readBody(request, JSON_BODY_BYTES));
    await awaitTurn(io);
    const answer = await io.enrol(wanted, remoteAddress);
    counted.giveBack();
    return jsonAnswer(answer);
  };
