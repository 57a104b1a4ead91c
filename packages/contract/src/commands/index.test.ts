import { describe, expect, test } from 'bun:test';
import { type ErrorCode, Refusal } from '../errors.ts';
import { COMMANDS, Command, libraryFileOf, parseCommand } from './index.ts';
import { COMMAND_TYPES } from './types.ts';

const sent = (type: string, params: Record<string, string>) => ({
  type,
  params: Object.entries(params).map(([key, value]) => ({ key, value })),
});
const refusal = (type: string, params: Record<string, string>, index = 0): [ErrorCode, string] => {
  try {
    parseCommand(sent(type, params), index);
  } catch (error) {
    if (error instanceof Refusal) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('what is understood', () => {
  test('RunScript, in any case', () => {
    const expected = { type: 'RunScript', scriptName: 'triage.sh', args: '-days 7' } as const;
    expect(parseCommand(sent('RunScript', { ScriptName: 'triage.sh', Args: '-days 7' }), 0)).toEqual(expected);
    expect(parseCommand(sent('RUNSCRIPT', { scriptname: 'triage.sh', ARGS: '-days 7' }), 0)).toEqual(expected);
  });
  test('RunScript without Args, and with --noargs as it is', () => {
    expect(parseCommand(sent('RunScript', { ScriptName: 'a.sh' }), 0)).toMatchObject({ args: '' });
    expect(parseCommand(sent('RunScript', { ScriptName: 'a.sh', Args: '' }), 0)).toMatchObject({ args: '' });
    expect(parseCommand(sent('RunScript', { ScriptName: 'a.sh', Args: '--noargs' }), 0)).toMatchObject({
      args: '--noargs',
    });
  });
  test('PutFile, with and without its additional parameters', () => {
    expect(parseCommand(sent('PutFile', { FileName: 'a.zip' }), 0)).toEqual({
      type: 'PutFile',
      fileName: 'a.zip',
      overwrite: true,
      keep: false,
    });
    expect(parseCommand(sent('PutFile', { FileName: 'a.zip', overwrite: 'False', Keep: 'TRUE' }), 0)).toEqual({
      type: 'PutFile',
      fileName: 'a.zip',
      overwrite: false,
      keep: true,
    });
  });
  test('GetFile keeps the path letter for letter', () => {
    const path = 'C:\\windows\\TEMP\\Office ClickToRun.dmp.zip';
    expect(parseCommand(sent('GetFile', { Path: path }), 0)).toEqual({ type: 'GetFile', path });
  });
});

describe('what is refused names its place', () => {
  const cases: [string, Record<string, string>, ErrorCode, string][] = [
    ['Delete', {}, 'InvalidInput', 'Commands[3]: expected a type out of PutFile, RunScript, GetFile, got "Delete".'],
    ['GetFile', {}, 'MissingRequiredParameter', 'Commands[3] (GetFile): the parameter Path is missing.'],
    ['PutFile', {}, 'MissingRequiredParameter', 'Commands[3] (PutFile): the parameter FileName is missing.'],
    [
      'RunScript',
      { Args: 'x' },
      'MissingRequiredParameter',
      'Commands[3] (RunScript): the parameter ScriptName is missing.',
    ],
    ['GetFile', { Path: '' }, 'InvalidInput', 'Commands[3] (GetFile): the parameter Path is empty.'],
    ['GetFile', { Path: 'a\u0000b' }, 'InvalidInput', 'Commands[3] (GetFile): Path: a NUL character'],
    [
      'GetFile',
      { FileName: 'x' },
      'InvalidInput',
      'Commands[3] (GetFile): expected a parameter out of Path, got "FileName".',
    ],
    ['GetFile', { Path: 'a', path: 'b' }, 'InvalidInput', 'Commands[3] (GetFile): the parameter Path is given twice.'],
    ['PutFile', { FileName: '../x' }, 'InvalidInput', 'Commands[3] (PutFile): FileName: expected a file name'],
    [
      'PutFile',
      { FileName: 'x', Keep: '1' },
      'InvalidInput',
      'Commands[3] (PutFile): Keep takes "true" or "false", got "1".',
    ],
    ['RunScript', { ScriptName: 'a/b' }, 'InvalidInput', 'Commands[3] (RunScript): ScriptName: expected a file name'],
    ['RunScript', { ScriptName: 'a.sh', Args: '"x' }, 'InvalidInput', 'is never closed'],
    ['RunScript', { ScriptName: 'a.cmd', Args: 'x&y' }, 'InvalidInput', 'Commands[3] (RunScript): Args:'],
  ];
  for (const [type, params, code, sentence] of cases) {
    test(`${type} ${JSON.stringify(params)}`, () => {
      const [gotCode, got] = refusal(type, params, 3);
      expect(gotCode).toBe(code);
      expect(got).toContain(sentence);
    });
  }
});

test('what is parsed is what travels to the device', () => {
  const all = [
    sent('PutFile', { FileName: 'a' }),
    sent('RunScript', { ScriptName: 'b' }),
    sent('GetFile', { Path: 'c' }),
  ];
  const parsed = all.map(parseCommand);
  expect(parsed.map(({ type }) => type)).toEqual([...COMMAND_TYPES]);
  expect(parsed.map((command) => Command.parse(JSON.parse(JSON.stringify(command))))).toEqual(parsed);
  expect(parsed.map(libraryFileOf)).toEqual(['a', 'b', null]);
});

test('PutFile leaves nothing to be downloaded, the others do', () => {
  expect(COMMAND_TYPES.map((type) => COMMANDS[type].results)).toEqual([[], ['stdout', 'stderr'], ['file']]);
});
