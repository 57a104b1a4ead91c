import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OsPlatform } from '@longarm/contract/machine';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { SERVICES } from './service.ts';

const GOLDEN = join(import.meta.dir, '..', '..', 'test', 'golden');
const golden = (name: string) => readFileSync(join(GOLDEN, name), 'utf8');

const textOf = (osPlatform: OsPlatform, args: readonly string[] = []): string => {
  const content = SERVICES[osPlatform].definition.content(args);
  return typeof content === 'string' ? content : new TextDecoder('utf-16le').decode(content).replaceAll('\r\n', '\n');
};

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

describe('the definitions, whole', () => {
  test('unit of systemd', () => expect(textOf('Linux')).toBe(golden('longarm-agent.service')));
  test('daemon of launchd', () => expect(textOf('macOS')).toBe(golden('longarm-agent.plist')));
  test('scheduled task', () => expect(textOf('Windows')).toBe(golden('task.xml')));
});

test('the task is in the form that the system itself writes: UTF-16 with its mark', () => {
  const content = SERVICES.Windows.definition.content([]);
  expect(typeof content === 'string' ? [] : [...content.subarray(0, 4)]).toEqual([0xff, 0xfe, 0x3c, 0x00]);
});

test.each<readonly [OsPlatform, string]>([
  ['Linux', '--state /var/lib/longarm-agent --proxy http://proxy.example:3128\n'],
  ['macOS', '<string>--proxy</string>\n    <string>http://proxy.example:3128</string>'],
  ['Windows', 'state" --proxy http://proxy.example:3128</Arguments>'],
])('%s: the proxy is an argument', (osPlatform, text) => {
  expect(textOf(osPlatform, ['--proxy', 'http://proxy.example:3128'])).toContain(text);
});

/** What needs quoting somewhere. */
const ODD = String.raw`/srv/the 50% & <"new"> $HOME\policy.json`;

test.each<readonly [OsPlatform, string, string]>([
  ['Linux', ODD, String.raw`--policy "/srv/the 50%% & <\"new\"> $$HOME\\policy.json" --require-signatures`],
  ['macOS', ODD, String.raw`    <string>/srv/the 50% &amp; &lt;"new"&gt; $HOME\policy.json</string>`],
  ['Windows', 'C:\\odd & <new>\\', String.raw`--policy "C:\odd &amp; &lt;new&gt;\\" --require-signatures</Arguments>`],
])('%s: a path is one argument, whatever is in it', (osPlatform, path, text) => {
  expect(textOf(osPlatform, ['--policy', path, '--require-signatures'])).toContain(text);
});

test.if(Bun.which('systemd-analyze') !== null)('systemd finds no fault in the unit', () => {
  // an executable that is there, since it looks for it
  const text = textOf('Linux').replace(SERVICES.Linux.executable, process.execPath);
  const path = join(folder.path, 'longarm-agent.service');
  writeFileSync(path, text);
  const done = Bun.spawnSync(['systemd-analyze', 'verify', '--man=no', path], { stderr: 'pipe' });
  expect({ code: done.exitCode, said: done.stderr.toString() }).toEqual({ code: 0, said: '' });
});

test('tools of Windows are named by their whole path: its search begins in the folder of who calls', () => {
  const { probe, protect, start, stop, forget } = SERVICES.Windows;
  for (const [program] of [...probe, ...protect, ...start, ...stop, ...forget])
    expect(program).toStartWith('C:\\Windows\\System32\\');
});
