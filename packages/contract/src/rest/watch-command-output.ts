import { z } from 'zod';
import { PERMISSIONS } from '../permission.ts';
import { SCRIPT_STREAMS } from '../result.ts';
import type { Endpoint } from './endpoint.ts';

export const watchCommandOutput = {
  method: 'GET',
  path: '/api/machineactions/{id}/commands/{index}/output',
  tag: 'Live response',
  summary: 'Watch the output of a script, while it runs or afterwards',
  description:
    'Server-sent events: `output` with `{"stream","offset","text"}`, then `end` when the command has ended. The id of an event says how far both streams are; an offset beyond the end of what came before says that something in between is not kept.',
  permission: PERMISSIONS.resultLink,
  subject: 'action',
  rate: 'read',
  headers: [
    { name: 'Last-Event-ID', required: false, description: 'go on behind this event; without it, from the start' },
  ],
  response: { status: 200, type: 'events', description: 'a stream of events' },
  errors: ['InvalidInput', 'ResourceNotFound'],
} as const satisfies Endpoint;

/** Data of an `output` event: text of the raw stream from `offset` on, bytes; what is not UTF-8 is U+FFFD. */
export const OutputEvent = z.object({ stream: z.enum(SCRIPT_STREAMS), offset: z.int(), text: z.string() });
export type OutputEvent = z.infer<typeof OutputEvent>;
