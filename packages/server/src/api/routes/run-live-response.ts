import { createHash } from 'node:crypto';
import { Refusal } from '@longarm/contract/errors';
import { IDEMPOTENCY_KEY_CHARACTERS } from '@longarm/contract/limits';
import { RunLiveResponseRequest } from '@longarm/contract/rest/run-live-response';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { LiveResponseRequest } from '../../actions/request-live-response.ts';
import type { Caller } from '../../audit/ports.ts';
import { jsonAnswer } from '../../http/json-answer.ts';
import { parseBody } from '../parse-body.ts';
import { presentActionEntity } from '../present/present-action.ts';
import type { Route } from '../route.ts';

const NAMES = ['Commands', 'Comment', 'type', 'params', 'key', 'value'];

type RunIo = {
  readonly requestLiveResponse: (caller: Caller, request: LiveResponseRequest) => Promise<ActionRecord>;
  /** 200 under the profile 2021-06, 201 under 2025-12. */
  readonly acceptedStatus: number;
};

const idempotencyOf = (request: Request, machine: string, body: string): LiveResponseRequest['idempotency'] => {
  const key = request.headers.get('idempotency-key');
  if (key === null) return null;
  if (key === '' || key.length > IDEMPOTENCY_KEY_CHARACTERS) {
    throw new Refusal(
      'InvalidInput',
      `Expected 1 to ${IDEMPOTENCY_KEY_CHARACTERS} characters in Idempotency-Key, got ${key.length}.`,
    );
  }
  return { key, bodySha256: createHash('sha256').update(`${machine.toLowerCase()}\n${body}`).digest('hex') };
};

export const runLiveResponseRoute =
  (io: RunIo): Route =>
  async ({ caller, request, params, base }) => {
    const machine = params.id ?? '';
    const { value, text } = await parseBody(request, { schema: RunLiveResponseRequest, names: NAMES });
    const idempotency = idempotencyOf(request, machine, text);
    const action = await io.requestLiveResponse(caller, { machine, body: value, idempotency });
    return jsonAnswer(presentActionEntity(action, base), io.acceptedStatus);
  };
