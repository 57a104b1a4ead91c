/** What a device with a key of its own says to do harm: frames that are none, and reports on what is not its own. */

import { sha256Of } from './blobs.ts';
import { HOSTILE_TEXT } from './founding.ts';
import { guidOf, type Random } from './random.ts';

const HOSTILE_BYTES = new TextEncoder().encode(HOSTILE_TEXT);
export const HOSTILE_SHA256 = sha256Of(HOSTILE_BYTES);
/** No script of these worlds ends with it. */
export const HOSTILE_EXIT = 66;

const GARBAGE = [
  '',
  '{',
  'null',
  '[]',
  '"report"',
  '{"type":"report"}',
  '{"type":"report","sequence":1e400,"fact":null}',
  '{"type":"report","sequence":-1,"fact":{"kind":"accepted"}}',
  '{"type":"__proto__"}',
  '{"__proto__":{"type":"heartbeat"}}',
  '{"type":"offer","actionId":"x"}',
  '{"type":"acknowledge","sequence":99}',
  '{"type":"heartbeat","more":1}',
  '{"type":"generation-kept"}',
  '{"type":"trust-kept","trusted":[]}',
  '{"type":"key-wanted"}',
  '\u0000\u0001',
  '['.repeat(5_000),
  `{"type":"report","sequence":1,"fact":${'{"fact":'.repeat(500)}null${'}'.repeat(500)}}`,
  `{"type":"heartbeat","x":"${'x'.repeat(3_000_000)}"}`,
] as const;

const factOf = (random: Random, actionId: string, at: number): object => {
  const index = random.pick([0, 0, 0, 1, 2, 7, 10_000]);
  const stream = random.pick(['stdout', 'stderr', 'file']);
  const result = {
    stream,
    sha256: HOSTILE_SHA256,
    sizeBytes: HOSTILE_BYTES.length,
    name: '../../hostile',
    cutBytes: 0,
  };
  const finished = { kind: 'command-finished', actionId, index, at, errors: [HOSTILE_TEXT], exitCode: HOSTILE_EXIT };
  return random.pick([
    { kind: 'accepted', actionId, at },
    { kind: 'refused', actionId, at, reason: HOSTILE_TEXT },
    { kind: 'command-started', actionId, index, at },
    { ...finished, outcome: 'Completed', results: [] },
    { ...finished, outcome: 'Completed', results: [result] },
    { ...finished, outcome: 'Completed', results: [result, result] },
    { ...finished, outcome: 'Failed', results: [result] },
    { kind: 'cancel-heard', actionId, at },
    { kind: 'action-ended', actionId, at, how: random.pick(['done', 'cancelled', 'interrupted', 'unknown']) },
    { kind: 'action-ended', actionId, at: -1, how: 'done' },
  ]);
};

/** Out of order, again, or far ahead. */
const sequenceOf = (random: Random, last: number): number =>
  random.pick([last + 1, last + 1, last + 1, last, 1, last + 2, 1_000_000, Number.MAX_SAFE_INTEGER]);

const contentsOf = (random: Random): object => {
  const contents = (text: string) => ({ contents: [{ stream: 'stdout', content: btoa(text) }] });
  return random.pick([
    {},
    {},
    contents(HOSTILE_TEXT),
    contents('other bytes'),
    { contents: [{ stream: 'file', content: '%' }] },
  ]);
};

/** `actionIds`: of whatever machine; `last`: the highest sequence so far. */
export const hostileFrame = (
  random: Random,
  about: { readonly actionIds: readonly string[]; readonly last: number; readonly at: number },
): { readonly text: string; readonly sequence: number | null } => {
  if (random.chance(0.15)) return { text: random.pick(GARBAGE), sequence: null };
  const actionId = about.actionIds[random.int(0, about.actionIds.length - 1)] ?? guidOf(random);
  const sequence = sequenceOf(random, about.last);
  const fact = factOf(random, random.chance(0.05) ? guidOf(random) : actionId, about.at);
  return { text: JSON.stringify({ type: 'report', sequence, fact, ...contentsOf(random) }), sequence };
};
