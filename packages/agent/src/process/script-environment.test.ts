import { expect, test } from 'bun:test';
import { ActionId } from '@longarm/contract/ids';
import { inheritedFrom, scriptEnvironment } from './script-environment.ts';

test('scripts get what is listed of the environment, and nothing else', () => {
  const environment = { PATH: '/bin', LANG: 'C', SECRET: 'x', LD_PRELOAD: 'y' };
  expect(inheritedFrom('Linux', environment)).toEqual({ PATH: '/bin', LANG: 'C' });
});

test('what the agent was started without has a default, and the action names itself', () => {
  const actionId = ActionId.parse('5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11');
  const run = { actionId, index: 2, workingFolder: '/work' };
  expect(scriptEnvironment({ osPlatform: 'Linux', inherited: { PATH: '/bin' } }, run)).toEqual({
    PATH: '/bin',
    HOME: '/',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    LONGARM_ACTION_ID: actionId,
    LONGARM_COMMAND_INDEX: '2',
    LONGARM_WORKING_FOLDER: '/work',
  });
});
