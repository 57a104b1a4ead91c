import { expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
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
