import { z } from 'zod';
import { MachineEntity } from '../machine.ts';
import { PERMISSIONS } from '../permission.ts';
import type { Endpoint } from './endpoint.ts';
import { COLLECTION_QUERY, collection, entity } from './shapes.ts';

export const listMachines = {
  method: 'GET',
  path: '/api/machines',
  tag: 'Machines',
  summary: 'List machines',
  permission: PERMISSIONS.read,
  subject: 'machines',
  rate: 'read',
  query: COLLECTION_QUERY,
  response: { status: 200, type: 'json', schema: collection(MachineEntity), description: 'a page of machines' },
  errors: ['ODataError'],
} as const satisfies Endpoint;

export const getMachine = {
  method: 'GET',
  path: '/api/machines/{id}',
  tag: 'Machines',
  summary: 'Get a machine by id, DNS name or aadDeviceId',
  permission: PERMISSIONS.read,
  subject: 'machine',
  rate: 'read',
  response: { status: 200, type: 'json', schema: entity(MachineEntity), description: 'the machine' },
  errors: ['InvalidInput', 'ResourceNotFound'],
} as const satisfies Endpoint;

export const findMachinesByIp = {
  method: 'GET',
  path: '/api/machines/findbyip(ip={ip},timestamp={timestamp})',
  tag: 'Machines',
  summary: 'Find machines that had an address within 15 minutes of a moment',
  permission: PERMISSIONS.read,
  subject: 'machines',
  rate: 'read',
  response: { status: 200, type: 'json', schema: collection(MachineEntity), description: 'the machines' },
  errors: ['InvalidIpAddress', 'InvalidInput'],
} as const satisfies Endpoint;

export const findMachinesByTag = {
  method: 'GET',
  path: '/api/machines/findbytag',
  tag: 'Machines',
  summary: 'Find machines by tag',
  permission: PERMISSIONS.read,
  subject: 'machines',
  rate: 'read',
  query: [
    { name: 'tag', required: true, description: 'the tag' },
    { name: 'useStartsWithFilter', required: false, description: 'true: tags that start with it' },
  ],
  response: { status: 200, type: 'json', schema: collection(MachineEntity), description: 'the machines' },
  errors: ['MissingRequiredParameter', 'InvalidInput'],
} as const satisfies Endpoint;

export const TagRequest = z.object({ Value: z.string().min(1).max(200), Action: z.enum(['Add', 'Remove']) });
export type TagRequest = z.infer<typeof TagRequest>;

export const changeMachineTags = {
  method: 'POST',
  path: '/api/machines/{id}/tags',
  tag: 'Machines',
  summary: 'Add or remove a tag',
  permission: PERMISSIONS.write,
  subject: 'machine',
  rate: 'read',
  request: { type: 'json', schema: TagRequest },
  response: { status: 200, type: 'json', schema: entity(MachineEntity), description: 'the machine' },
  errors: ['InvalidRequestBody', 'InvalidInput', 'ResourceNotFound'],
} as const satisfies Endpoint;

export const listLogonUsers = {
  method: 'GET',
  path: '/api/machines/{id}/logonusers',
  tag: 'Neighbours',
  summary: 'Users seen on a machine: none are collected here',
  permission: PERMISSIONS.users,
  subject: 'machine',
  rate: 'read',
  response: { status: 200, type: 'json', schema: collection(z.object({})), description: 'always empty' },
  errors: ['ResourceNotFound'],
} as const satisfies Endpoint;
