import { expect, test } from 'bun:test';
import { DEFAULT_PROFILE, LIMIT_MEANINGS, LIMIT_NAMES, PROFILE_NAMES, PROFILES } from './limits.ts';

// Typed by hand on purpose: the mission's promises.
const PROMISED = {
  'runs-per-minute': 10,
  'reads-per-minute': 100,
  'reads-per-hour': 1500,
  sessions: 25,
  'queue-hours': 72,
  'script-seconds': 600,
  'transfer-seconds': 1800,
  'grace-minutes': 15,
  'link-minutes': 30,
  'library-mib': 20,
  'get-mib': 3072,
  'queued-per-machine': 1,
  'retain-days': 30,
};

test('the default profile keeps the promises of 2021-06', () => {
  expect(DEFAULT_PROFILE).toBe('2021-06');
  expect(PROFILES[DEFAULT_PROFILE].limits).toMatchObject(PROMISED);
  expect(PROFILES[DEFAULT_PROFILE].runAcceptedStatus).toBe(200);
});

test('2025-12 differs in status, sessions and queue, and in nothing else', () => {
  const { limits, runAcceptedStatus } = PROFILES['2025-12'];
  expect(runAcceptedStatus).toBe(201);
  expect(limits).toEqual({ ...PROFILES['2021-06'].limits, sessions: 50, 'queue-hours': 2 });
});

test('every limit has a meaning and a value above zero in every profile', () => {
  for (const name of LIMIT_NAMES) {
    expect(LIMIT_MEANINGS[name].length).toBeGreaterThan(10);
    for (const profile of PROFILE_NAMES) expect(PROFILES[profile].limits[name]).toBeGreaterThan(0);
  }
});
