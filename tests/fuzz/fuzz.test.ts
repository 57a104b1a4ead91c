/** Whatever strangers and devices send: nothing fails, nothing tells of the inside, and every refusal has its form. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { residentBytes } from '@longarm/testkit/peak-memory';
import { fuzz } from './fuzz.ts';
import { PURE_TARGETS, TARGETS } from './targets.ts';
import { type FuzzWorld, openWorld } from './world.ts';

/** Texts tried of each target here; `npm run fuzz` tries more. */
const PURE_RUNS = 1_000;
const REQUEST_RUNS = 100;
const GROWTH_BYTES = 268_435_456;

let world: FuzzWorld;
let idle: number;
beforeAll(async () => {
  world = await openWorld();
  idle = residentBytes(process.pid);
});
afterAll(() => world.close());

for (const [name, target] of Object.entries(TARGETS)) {
  test(`${name}: nothing near what is understood breaks anything`, async () => {
    await fuzz(world, { name, target }, { runs: PURE_TARGETS.has(name) ? PURE_RUNS : REQUEST_RUNS });
  }, 60_000);
}

test('the server is up after it, its device connected, and memory bounded', async () => {
  const { status, json } = await world.server.api.call(`/api/machines/${world.device.machineId}`);
  expect([status, json.isOnline]).toEqual([200, true]);
  expect(residentBytes(process.pid) - idle).toBeLessThan(GROWTH_BYTES);
});

test('every list of kept texts belongs to a target', async () => {
  const names = await readdir(join(import.meta.dir, 'corpus'));
  const targets = Object.keys(TARGETS).map((name) => `${name}.json`);
  expect(names.filter((name) => !targets.includes(name))).toEqual([]);
});
