/**
 * Endpoints of the original that clients call to test a connection, or mix in, and that Longarm does not serve:
 * empty collections, and actions that no device here supports (semantics 22).
 */
import { z } from 'zod';
import { PERMISSIONS } from '../permission.ts';
import type { Endpoint } from './endpoint.ts';
import { collection } from './shapes.ts';

const emptyCollection = (path: string, summary: string) =>
  ({
    method: 'GET',
    path,
    tag: 'Neighbours',
    summary,
    permission: PERMISSIONS.any,
    subject: 'nothing',
    rate: 'read',
    response: { status: 200, type: 'json', schema: collection(z.object({})), description: 'always empty' },
    errors: [],
  }) as const satisfies Endpoint;

export const listAlerts = emptyCollection('/api/alerts', 'Alerts: an empty collection, for connection tests');
export const listIndicators = emptyCollection(
  '/api/indicators',
  'Indicators: an empty collection, for connection tests',
);
export const listMachineGroups = emptyCollection(
  '/api/machinegroups',
  'Machine groups: an empty collection, for connection tests',
);

/** Machine actions of the original that no agent here carries out, as their last path part. */
export const UNSUPPORTED_ACTIONS = [
  'isolate',
  'unisolate',
  'collectInvestigationPackage',
  'runAntiVirusScan',
  'StopAndQuarantineFile',
  'restrictCodeExecution',
  'unrestrictCodeExecution',
  'offboard',
  'startInvestigation',
] as const;

export const unsupportedAction = {
  method: 'POST',
  path: '/api/machines/{id}/{action}',
  tag: 'Neighbours',
  summary: 'A machine action that is not supported here',
  permission: PERMISSIONS.any,
  subject: 'machine',
  rate: 'read',
  response: { status: 201, type: 'empty', description: 'never answered' },
  errors: ['OsPlatformNotSupported', 'ResourceNotFound'],
} as const satisfies Endpoint;
