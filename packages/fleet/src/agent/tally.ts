/** What a process of the fleet has seen so far; plain data, since it goes to the parent as JSON. */
import { z } from 'zod';

export const Tally = z.object({
  agents: z.int(),
  enrolled: z.int(),
  connected: z.int(),
  /** Connections that were welcomed, again and again included. */
  welcomes: z.int(),
  offers: z.int(),
  ended: z.int(),
  /** How often what went wrong, by its sentence. */
  failures: z.record(z.string(), z.int()),
  /** From wanting a connection to its welcome, milliseconds, one for each. */
  connectMs: z.array(z.number()),
  /** From the offer to the end that the server acknowledged, milliseconds. */
  actionMs: z.array(z.number()),
});
export type Tally = z.infer<typeof Tally>;

/** Reasons kept; a server that words each refusal anew does not fill the memory. */
const REASONS = 50;

export const newTally = (agents: number): Tally => ({
  agents,
  enrolled: 0,
  connected: 0,
  welcomes: 0,
  offers: 0,
  ended: 0,
  failures: {},
  connectMs: [],
  actionMs: [],
});

export const countFailure = (tally: Tally, reason: string): void => {
  const isKept = reason in tally.failures || Object.keys(tally.failures).length < REASONS;
  const name = isKept ? reason : 'others';
  tally.failures[name] = (tally.failures[name] ?? 0) + 1;
};

const addFailures = (parts: readonly Tally[]): Record<string, number> => {
  const failures: Record<string, number> = {};
  for (const part of parts)
    for (const [reason, count] of Object.entries(part.failures)) failures[reason] = (failures[reason] ?? 0) + count;
  return failures;
};

const sumOf = (parts: readonly Tally[], name: 'agents' | 'enrolled' | 'connected' | 'welcomes' | 'offers' | 'ended') =>
  parts.reduce((sum, part) => sum + part[name], 0);

export const addTallies = (parts: readonly Tally[]): Tally => ({
  agents: sumOf(parts, 'agents'),
  enrolled: sumOf(parts, 'enrolled'),
  connected: sumOf(parts, 'connected'),
  welcomes: sumOf(parts, 'welcomes'),
  offers: sumOf(parts, 'offers'),
  ended: sumOf(parts, 'ended'),
  failures: addFailures(parts),
  connectMs: parts.flatMap((part) => part.connectMs),
  actionMs: parts.flatMap((part) => part.actionMs),
});

/** The value below which the share of the values lies; null for none. */
export const percentileOf = (values: readonly number[], share: number): number | null => {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
};
