/**
 * The Windows agent as it is shipped, on wine, with a real server. LONGARM_WINE names the wine prefix that
 * scripts/wine/setup has made; without it nothing here runs. docs/operating/windows.md says what wine cannot show.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  getFile,
  isFinal,
  openSite,
  putFile,
  runScript,
  type TestAgent,
  type TestSite,
} from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

// the executable is built here, and wine starts slowly
setDefaultTimeout(120_000);

const ROOT = join(import.meta.dir, '..', '..');
const WINE = '/usr/lib/wine/wine64';
const prefix = process.env.LONGARM_WINE ?? '';
if (prefix === '')
  console.log('windows.test.ts: skipped, since LONGARM_WINE names no wine prefix (scripts/wine/setup)');

const wineEnv = { WINEPREFIX: prefix, WINEDEBUG: '-all' };

const succeed = async (command: string[], env: Readonly<Record<string, string>> = {}): Promise<void> => {
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const child = Bun.spawn(command, { cwd: ROOT, env: { ...process.env, ...env }, stdio: [...stdio] });
  expect(await child.exited).toBe(0);
};

const build = (out: string) =>
  succeed([
    ...[process.execPath, '--no-install', 'scripts/build.ts'],
    ...['--target', 'windows-x64', '--program', 'longarm-agent', '--out', out],
  ]);

/** Command lines of this machine's processes that hold the text: wine's processes are seen from outside. */
const processesWith = async (text: string): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text));
};
const appear = (text: string) =>
  until(
    () => processesWith(text),
    // the loader becomes the program a moment later, and only then does wine know it
    (found) => found.some((line) => !line.startsWith(WINE)),
    30_000,
  );
const vanish = (text: string) =>
  until(
    () => processesWith(text),
    (found) => found.length === 0,
    30_000,
  );

/** Tells processes of this run from those of others, and a file in a prefix that outlives runs. */
const RUN = `${process.pid % 250}.${Math.floor(Math.random() * 250)}`;
const RUNS_FILE = `C:\\windows\\TEMP\\runs-${crypto.randomUUID()}.txt`;
const at = (number: number): string => `127.${RUN}.${number}`;

/** Waits for a minute, by a program that another address tells from all others. */
const waiting = (address: string) => `ping -n 60 ${address} >nul\r\n`;

describe.if(prefix !== '')('the Windows agent on wine', () => {
  let site: TestSite;
  let agent: TestAgent;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longarm-windows-'));
    await build(folder);
    site = await openSite(['--limit', 'script-seconds=8']);
    agent = await site.agent({ command: [WINE, join(folder, 'longarm-agent-windows-x64.exe')], env: wineEnv });
  });
  afterAll(async () => {
    await site?.close();
    // only what runs in this prefix
    for (const order of ['-k', '-w']) await succeed(['/usr/lib/wine/wineserver', order], wineEnv).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  });

  const begin = async (...commands: readonly object[]): Promise<string> => {
    const { status, json, text } = await site.run(agent.machineId, commands);
    if (status !== 200) throw new Error(`${status} ${text}`);
    return json.id;
  };
  const runToEnd = async (...commands: readonly object[]) => site.until(await begin(...commands), isFinal, 60_000);
  const output = async (id: string, index: number) => (await site.api.download(id, index)).json();
  const collected = async (id: string, index: number) => {
    const wrapped = new Uint8Array(await (await site.api.download(id, index)).arrayBuffer());
    return new TextDecoder().decode(Bun.gunzipSync(wrapped));
  };

  test('it tells that it is Windows', async () => {
    const { json } = await site.api.call(`/api/machines/${agent.machineId}`);
    expect(json).toMatchObject({ osPlatform: expect.stringContaining('Windows'), isOnline: true });
  });

  test('PutFile, RunScript of a .cmd with spaces in an argument, and GetFile of what it made', async () => {
    await site.api.upload('list.txt', 'one\r\ntwo\r\n');
    await site.api.upload(
      'collect.cmd',
      '@echo off\r\necho first=%~1\r\necho second=%~2\r\ntype list.txt\r\ncopy list.txt collected.txt >nul\r\nexit /b 3\r\n',
    );
    const action = await runToEnd(
      putFile('list.txt'),
      runScript('collect.cmd', '"C:\\Program Files" plain'),
      getFile('collected.txt'),
    );
    expect(action).toMatchObject({ status: 'Succeeded' });
    expect(await output(action.id, 1)).toEqual({
      script_name: 'collect.cmd',
      exit_code: 3,
      script_output: 'first=C:\\Program Files\r\nsecond=plain\r\none\r\ntwo\r\n',
      script_errors: '',
    });
    expect(await collected(action.id, 2)).toBe('one\r\ntwo\r\n');
  });

  test('the path of the example that must work, escaped as it is posted', async () => {
    await site.api.upload('dump.cmd', '@echo dump of %1> C:\\windows\\TEMP\\%1.dmp.zip\r\n');
    const body = String.raw`{"Commands":[
      {"type":"RunScript","params":[{"key":"ScriptName","value":"dump.cmd"},{"key":"Args","value":"OfficeClickToRun"}]},
      {"type":"GetFile","params":[{"key":"Path","value":"C:\\windows\\TEMP\\OfficeClickToRun.dmp.zip"}]}],
      "Comment":"Testing Live Response API"}`;
    const { json } = await site.api.post(`/API/machines/${agent.machineId}/runliveresponse`, body, {
      'content-type': 'application/json',
    });
    const action = await site.until(json.id, isFinal, 60_000);
    expect(action).toMatchObject({ status: 'Succeeded' });
    expect(await collected(action.id, 1)).toBe('dump of OfficeClickToRun\r\n');
  });

  test('arguments that the shell of .cmd files would read again are refused before anything starts', async () => {
    await site.api.upload('echo.cmd', '@echo %*\r\n');
    for (const args of ['a&calc', '%PATH%', '"a""b"', 'a|b']) {
      const { status, json } = await site.run(agent.machineId, [runScript('echo.cmd', args)]);
      expect([args, status, json.error.code]).toEqual([args, 400, 'InvalidInput']);
    }
  });

  test('when the time is over, the script and what it started are gone, and its output is kept', async () => {
    await site.api.upload(
      'slow.cmd',
      `@echo begun\r\n@start /b ping -n 60 ${at(1)} >nul\r\n@${waiting(at(2))}@echo never\r\n`,
    );
    const id = await begin(runScript('slow.cmd'));
    await Promise.all([appear(at(1)), appear(at(2))]);
    const action = await site.until(id, isFinal, 60_000);
    expect(action.commands[0].commandStatus).toBe('Failed');
    expect(action.commands[0].errors.join(' ')).toContain('timed out after 8 s');
    await Promise.all([vanish(at(1)), vanish(at(2))]);
    expect(await output(id, 0)).toMatchObject({ script_output: 'begun\r\n' });
  });

  test('what a script leaves behind does not outlive it', async () => {
    await site.api.upload('leaver.cmd', `@start /b ping -n 60 ${at(3)} >nul\r\n@echo left\r\n`);
    const action = await runToEnd(runScript('leaver.cmd'));
    expect(action.status).toBe('Succeeded');
    await vanish(at(3));
  });

  test('killed in mid-script and started again: nothing of it survives, and it is interrupted, not repeated', async () => {
    await site.api.upload(
      'gated.cmd',
      `@echo run>> ${RUNS_FILE}\r\n@echo begun\r\n@start /b ping -n 60 ${at(4)} >nul\r\n@${waiting(at(5))}`,
    );
    const id = await begin(runScript('gated.cmd'), getFile(RUNS_FILE));
    await Promise.all([appear(at(4)), appear(at(5))]);
    await agent.kill();
    await agent.start();
    const action = await site.until(id, isFinal, 60_000);
    expect(action).toMatchObject({
      status: 'Failed',
      commands: [{ commandStatus: 'Failed' }, { commandStatus: 'Created' }],
    });
    expect(action.commands[0].errors.join(' ')).toContain('interrupted: the agent restarted');
    await Promise.all([vanish(at(4)), vanish(at(5))]);
    const counted = await runToEnd(getFile(RUNS_FILE));
    expect(await collected(counted.id, 0)).toBe('run\r\n');
  });
});
