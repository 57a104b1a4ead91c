/** How big a world is, how long it lasts, and under which limits its server runs. */
import { type Limits, PROFILES } from '@longarm/contract/limits';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export type WorldLimits = {
  readonly server: Limits;
  readonly maxGetBytes: number;
  readonly maxOutputBytes: number;
  readonly devices: number;
  readonly callers: number;
  readonly requests: number;
  /** How long faults go on, milliseconds. */
  readonly troubleMs: number;
  /** A server that is at rest looks at its rows at least so often. */
  readonly longestTickMs: number;
  readonly meanConnectionMs: number;
  /** Longest that a device is away at a time. */
  readonly longestAbsenceMs: number;
};

const shape = (random: Random) => ({
  devices: random.pick([1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 8]),
  callers: random.int(1, 3),
  requests: random.int(2, 10),
  maxGetBytes: 1_048_576,
  maxOutputBytes: 4_096,
});

const shared = (random: Random) => ({
  sessions: random.pick([1, 2, 3, 25]),
  'queued-per-machine': random.pick([1, 1, 2, 4]),
  'lease-seconds': random.pick([5, 30]),
});

/** Half an hour in which everything is quick: devices lose their connection every other minute. */
const minutes = (random: Random): WorldLimits => ({
  ...shape(random),
  server: {
    ...PROFILES['2021-06'].limits,
    ...shared(random),
    'queue-hours': random.pick([0.1, 0.25, 0.5]),
    'script-seconds': random.pick([20, 120]),
    'transfer-seconds': random.pick([30, 120]),
    'grace-minutes': random.pick([0.5, 3]),
    'certificate-seconds': 3_600,
    'heartbeat-seconds': random.pick([15, 30]),
  },
  troubleMs: random.int(4, 20) * MINUTE_MS,
  longestTickMs: random.pick([30_000, 120_000]),
  meanConnectionMs: random.pick([60_000, 300_000, 900_000]),
  longestAbsenceMs: 15 * MINUTE_MS,
});

/** Days under the limits that people use, with devices that are switched off over nights and weekends. */
const days = (random: Random): WorldLimits => ({
  ...shape(random),
  server: {
    ...PROFILES['2021-06'].limits,
    ...shared(random),
    'heartbeat-seconds': 3_600,
    'lease-seconds': 1_200,
    'retain-days': random.pick([1, 30]),
  },
  troubleMs: random.int(24, 100) * HOUR_MS,
  longestTickMs: random.pick([2 * HOUR_MS, 6 * HOUR_MS]),
  meanConnectionMs: random.pick([HOUR_MS, 10 * HOUR_MS]),
  longestAbsenceMs: 80 * HOUR_MS,
});

export const worldLimits = (random: Random): WorldLimits => (random.chance(0.25) ? days(random) : minutes(random));
