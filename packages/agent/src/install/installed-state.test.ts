import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { stateFolder } from '../commands/state-folder.ts';
import { takeLock } from '../platform/instance-lock.ts';
import { thisPlatform } from '../platform/this-platform.ts';
import { stateSteps } from './installed-state.ts';

const platform = thisPlatform(process.platform);

test('it waits for an agent that is about to end, and not for ever', async () => {
  using folder = temporaryFolder();
  const state = join(folder.path, 'state');
  mkdirSync(state);
  const letGo = takeLock(platform, join(state, 'agent.lock'), process.pid);
  let slept = 0;
  const sleep = async (milliseconds: number) => {
    slept += milliseconds;
  };
  const io = { platform, pid: process.pid, sleep };
  await expect(stateSteps(io).waitForEnd(state)).rejects.toThrow(`expected the agent (process ${process.pid}) to end`);
  expect(slept).toBe(30_000);
  await stateSteps({ ...io, sleep: async () => letGo() }).waitForEnd(state);
});

test('of everything that the agent keeps nothing is left, also of what a crash left half written', () => {
  using folder = temporaryFolder();
  const state = join(folder.path, 'state');
  mkdirSync(state);
  for (const kept of Object.values(stateFolder(state))) {
    if (typeof kept !== 'string') continue;
    writeFileSync(kept, '');
    if (!kept.endsWith('.lock')) writeFileSync(`${kept}.new`, '');
  }
  stateSteps({ platform, pid: process.pid, sleep: Bun.sleep }).remove(state);
  expect(existsSync(state)).toBe(false);
});
