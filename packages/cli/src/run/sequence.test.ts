import { expect, test } from 'bun:test';
import { createSequence } from './sequence.ts';

test('commands keep their order, and arguments belong to the script before them', () => {
  const sequence = createSequence();
  sequence.put('tool.zip,keep');
  sequence.script('a.sh');
  sequence.args('-x "1 2"');
  sequence.script('b.sh');
  sequence.get('/tmp/out');
  sequence.put('a,b.txt,no-overwrite,keep');
  expect(sequence.commands()).toEqual([
    {
      type: 'PutFile',
      params: [
        { key: 'FileName', value: 'tool.zip' },
        { key: 'Keep', value: 'true' },
      ],
    },
    {
      type: 'RunScript',
      params: [
        { key: 'ScriptName', value: 'a.sh' },
        { key: 'Args', value: '-x "1 2"' },
      ],
    },
    { type: 'RunScript', params: [{ key: 'ScriptName', value: 'b.sh' }] },
    { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/out' }] },
    {
      type: 'PutFile',
      params: [
        { key: 'FileName', value: 'a,b.txt' },
        { key: 'Keep', value: 'true' },
        { key: 'Overwrite', value: 'false' },
      ],
    },
  ]);
});

test('arguments without a script right before them are refused', () => {
  expect(() => createSequence().args('x')).toThrow(/--script right before/);
  const afterGet = createSequence();
  afterGet.script('a.sh');
  afterGet.get('/x');
  expect(() => afterGet.args('x')).toThrow(/--script right before/);
  const twice = createSequence();
  twice.script('a.sh');
  twice.args('1');
  expect(() => twice.args('2')).toThrow(/one --args each/);
});

test('what the server would refuse is refused before it is asked', () => {
  expect(() => createSequence().commands()).toThrow(/at least one of/);
  const unbalanced = createSequence();
  unbalanced.script('a.sh');
  unbalanced.args('"x');
  expect(() => unbalanced.commands()).toThrow(/never closed/);
  const path = createSequence();
  path.put('../x');
  expect(() => path.commands()).toThrow(/file name without path parts/);
});
