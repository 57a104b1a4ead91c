import { z } from 'zod';
import { ActionEntity } from '../action.ts';
import { COMMANDS_PER_ACTION, PARAMETER_VALUE_CHARACTERS } from '../limits.ts';
import { PERMISSIONS } from '../permission.ts';
import type { Endpoint } from './endpoint.ts';
import { entity } from './shapes.ts';

const Param = z.object({ key: z.string().max(64), value: z.string().max(PARAMETER_VALUE_CHARACTERS) });

/** The body, its own names already brought to this case (the door accepts any). */
export const RunLiveResponseRequest = z.object({
  Commands: z
    .array(z.object({ type: z.string().max(64), params: z.array(Param).max(16).default([]) }))
    .min(1)
    .max(COMMANDS_PER_ACTION),
  Comment: z.string().max(PARAMETER_VALUE_CHARACTERS).nullish(),
});
export type RunLiveResponseRequest = z.infer<typeof RunLiveResponseRequest>;

export const runLiveResponse = {
  method: 'POST',
  path: '/api/machines/{id}/runliveresponse',
  tag: 'Live response',
  summary: 'Run live response',
  description: 'Runs a sequence of commands on a device. A device that is away gets it when it comes back.',
  permission: PERMISSIONS.liveResponse,
  subject: 'machine',
  rate: 'run',
  headers: [
    {
      name: 'Idempotency-Key',
      required: false,
      description: 'the same key and body within 24 hours gives the same action again',
    },
  ],
  request: { type: 'json', schema: RunLiveResponseRequest },
  response: {
    status: 200,
    type: 'json',
    schema: entity(ActionEntity),
    description: 'the action, always Pending; 201 under the profile 2025-12',
  },
  errors: [
    'InvalidRequestBody',
    'InvalidInput',
    'MissingRequiredParameter',
    'ActiveRequestAlreadyExists',
    'MaximumBatchSizeExceeded',
    'BadRequest',
    'DisallowedOperation',
    'ResourceNotFound',
  ],
} as const satisfies Endpoint;
