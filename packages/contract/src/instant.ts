/**
 * Moments. Inside the programs a moment is a whole number of milliseconds since 1970 (UTC); on the wire it is
 * ISO 8601 in UTC with seven fraction digits, as the original service writes it.
 */
import { z } from 'zod';

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

export const formatInstant = (at: EpochMs): string => new Date(at).toISOString().replace('Z', '0000Z');

export const formatInstantOrNull = (at: EpochMs | null): string | null => (at === null ? null : formatInstant(at));

/** The wire form of a moment. */
export const InstantText = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/, 'expected UTC with seven fraction digits');
