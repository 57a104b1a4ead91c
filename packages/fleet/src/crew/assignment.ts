/** What a process of the fleet is told, one JSON document a line on its standard input; its end is told by the end. */
import { z } from 'zod';

export const Assignment = z.object({
  order: z.literal('enrol'),
  server: z.string(),
  /** Addresses of loopback at which it answers, taken in turn; 1: only that one. */
  addresses: z.int().min(1),
  /** The text of an enrolment token. */
  token: z.string(),
  seed: z.string(),
  /** Agents `first` to `first + count - 1` are this process's. */
  first: z.int().min(0),
  count: z.int().min(1),
  /** Connections begun a second, at the start. */
  ratePerSecond: z.number().positive(),
  behaviour: z.record(z.string(), z.number()),
});
export type Assignment = z.infer<typeof Assignment>;

export const Order = z.discriminatedUnion('order', [Assignment, z.object({ order: z.literal('connect') })]);
export type Order = z.infer<typeof Order>;
