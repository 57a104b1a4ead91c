import { z } from 'zod';
import { ActionEntity } from '../action.ts';
import { PARAMETER_VALUE_CHARACTERS } from '../limits.ts';
import { PERMISSIONS } from '../permission.ts';
import type { Endpoint } from './endpoint.ts';
import { COLLECTION_QUERY, collection, entity, TextValue } from './shapes.ts';

export const listMachineActions = {
  method: 'GET',
  path: '/api/machineactions',
  tag: 'Machine actions',
  summary: 'List machine actions, the newest first',
  permission: PERMISSIONS.read,
  subject: 'actions',
  rate: 'read',
  query: COLLECTION_QUERY,
  response: { status: 200, type: 'json', schema: collection(ActionEntity), description: 'a page of actions' },
  errors: ['ODataError'],
} as const satisfies Endpoint;

export const getMachineAction = {
  method: 'GET',
  path: '/api/machineactions/{id}',
  tag: 'Machine actions',
  summary: 'Get a machine action',
  permission: PERMISSIONS.read,
  subject: 'action',
  rate: 'read',
  response: { status: 200, type: 'json', schema: entity(ActionEntity), description: 'the action' },
  errors: ['ResourceNotFound'],
} as const satisfies Endpoint;

export const watchMachineAction = {
  method: 'GET',
  path: '/api/machineactions/{id}/events',
  tag: 'Machine actions',
  summary: 'Watch a machine action',
  description:
    'Server-sent events: `action` with the whole entity at once and after each change, then `end` when it is final in effect.',
  permission: PERMISSIONS.read,
  subject: 'action',
  rate: 'read',
  response: { status: 200, type: 'events', description: 'a stream of events' },
  errors: ['ResourceNotFound'],
} as const satisfies Endpoint;

export const getResultLink = {
  method: 'GET',
  path: '/api/machineactions/{id}/GetLiveResponseResultDownloadLink(index={index})',
  tag: 'Live response',
  summary: 'Get a live response result',
  description: 'A signed link to the result of one command; no token goes with it.',
  permission: PERMISSIONS.resultLink,
  subject: 'action',
  rate: 'read',
  response: { status: 200, type: 'json', schema: TextValue, description: 'the link' },
  errors: ['BadRequest', 'ResourceNotFound'],
} as const satisfies Endpoint;

export const CancelRequest = z.object({ Comment: z.string().max(PARAMETER_VALUE_CHARACTERS).nullish() });

export const cancelMachineAction = {
  method: 'POST',
  path: '/api/machineactions/{id}/cancel',
  tag: 'Machine actions',
  summary: 'Cancel a machine action',
  description: 'The status is Cancelled at once; cancellationState says how far the device is.',
  permission: PERMISSIONS.cancel,
  subject: 'action',
  rate: 'read',
  request: { type: 'json', schema: CancelRequest },
  response: { status: 200, type: 'json', schema: entity(ActionEntity), description: 'the action' },
  errors: ['InvalidRequestBody', 'BadRequest', 'ResourceNotFound'],
} as const satisfies Endpoint;

/** The reason is kept with the action, and in the audit. */
export const DecisionRequest = z.object({ Reason: z.string().trim().min(1).max(PARAMETER_VALUE_CHARACTERS) });

const decision = <const Verb extends 'approve' | 'deny'>(verb: Verb, summary: string, description: string) =>
  ({
    method: 'POST',
    path: `/api/machineactions/{id}/${verb}`,
    tag: 'Machine actions',
    summary,
    description,
    permission: PERMISSIONS.approve,
    subject: 'action',
    rate: 'read',
    request: { type: 'json', schema: DecisionRequest },
    response: { status: 200, type: 'json', schema: entity(ActionEntity), description: 'the action' },
    errors: [
      'InvalidRequestBody',
      'InvalidInput',
      'MissingRequiredParameter',
      'BadRequest',
      'DisallowedOperation',
      'ResourceNotFound',
    ],
  }) as const satisfies Endpoint;

export const approveMachineAction = decision(
  'approve',
  'Approve a machine action that waits for a second person',
  'Beyond the original. Whoever requested it cannot.',
);

export const denyMachineAction = decision(
  'deny',
  'Deny a machine action that waits for a second person',
  'Beyond the original. The action is Cancelled, with the reason; whoever requested it cancels it instead.',
);

export const getPackageUri = {
  method: 'GET',
  path: '/api/machineactions/{id}/getPackageUri',
  tag: 'Neighbours',
  summary: 'Get the link to an investigation package: none is made here',
  permission: PERMISSIONS.any,
  subject: 'action',
  rate: 'read',
  response: { status: 200, type: 'json', schema: TextValue, description: 'never answered' },
  errors: ['ResourceNotFound'],
} as const satisfies Endpoint;
