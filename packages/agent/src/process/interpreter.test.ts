import { expect, test } from 'bun:test';
import { findInterpreter } from './interpreter.ts';

const host = (osPlatform: 'Linux' | 'Windows' | 'macOS', ...installed: readonly string[]) => ({
  osPlatform,
  which: (program: string) => (installed.includes(program) ? `/found/${program}` : null),
});

test.each([
  ['a.sh', host('Linux', 'bash'), ['/found/bash']],
  ['A.SH', host('macOS', 'bash'), ['/found/bash']],
  ['a.py', host('Linux', 'python', 'python3'), ['/found/python3']],
  ['a.py', host('Windows', 'python', 'python3'), ['/found/python']],
  ['a.bat', host('Windows', 'cmd.exe'), ['/found/cmd.exe', '/d', '/c']],
])('%s is run by what its suffix says', (name, where, command) => {
  expect(findInterpreter(where, { name, start: '#!/ignored' })).toEqual({ kind: 'found', command });
});

test('PowerShell scripts run without profile and prompts, by the newer one where it is there', () => {
  const options = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'];
  const script = { name: 'a.ps1', start: '' };
  expect(findInterpreter(host('Windows', 'pwsh', 'powershell'), script)).toEqual({
    kind: 'found',
    command: ['/found/pwsh', ...options],
  });
  expect(findInterpreter(host('Windows', 'powershell'), script)).toEqual({
    kind: 'found',
    command: ['/found/powershell', ...options],
  });
});

test.each([
  ['#!/bin/dash\necho', ['/bin/dash'], []],
  ['#! /usr/bin/env  perl -w \necho', ['/usr/bin/env'], ['perl -w']],
  ['#!/bin/x\r\necho', ['/bin/x'], []],
  ['#!/bin/x', ['/bin/x'], []],
])('the first line %j names the program, with one argument at most', (start, programs, options) => {
  const found = findInterpreter({ osPlatform: 'Linux', which: (program) => program }, { name: 'tool', start });
  expect(found).toEqual({ kind: 'found', command: [...programs, ...options] });
});

test.each([
  ['a.sh', host('Linux'), 'bash'],
  ['a.ps1', host('Linux'), 'pwsh or powershell'],
  ['a.cmd', host('Linux', 'cmd.exe'), 'Windows only'],
  ['tool', host('Linux'), 'neither'],
  ['tool.bin', host('Linux'), 'neither'],
])('%s: what is missing is named', (name, where, named) => {
  expect(findInterpreter(where, { name, start: '\u007fELF' })).toEqual({
    kind: 'missing',
    sentence: expect.stringContaining(named),
  });
});
