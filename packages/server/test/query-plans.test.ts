/** How SQLite runs what everything waits for: by an index, however much there is. The plans are kept beside this file. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFilledStore } from '@longarm/testkit/filled-store';

const GOLDEN = new URL('query-plans.txt', import.meta.url);
/** Nothing but reads and writes of rows has a plan. */
const HAS_PLAN = /^(?:select|insert|update|delete|with)\b/;

let folder: string;
let plans: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-plans-'));
  const store = await openFilledStore(join(folder, 'store.db'), { machines: 20, actions: 40, waiting: 10 });
  const parts: string[] = [];
  const told = new Set<string>();
  for (const [name, call] of Object.entries(store.calls)) {
    await call();
    for (const statement of store.statements()) {
      if (told.has(statement) || !HAS_PLAN.test(statement)) continue;
      told.add(statement);
      const steps = store.planOf(statement);
      if (steps.length > 0) parts.push(`-- ${name}\n${statement}\n${steps.map((step) => `    ${step}\n`).join('')}`);
    }
  }
  await store.close();
  plans = parts.join('\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('no call walks through all actions, machines or commands', () => {
  const walks = plans
    .split('\n')
    .filter((line) => /^ +SCAN (?:actions|machines|commands|results)(?! USING)/.test(line));
  expect(walks).toEqual([]);
});

test('the plans are those of query-plans.txt; what changes them changes that file (LONGARM_UPDATE=1 writes it)', async () => {
  if (process.env.LONGARM_UPDATE === '1') await Bun.write(GOLDEN, plans);
  expect(plans).toBe(await Bun.file(GOLDEN).text());
});
