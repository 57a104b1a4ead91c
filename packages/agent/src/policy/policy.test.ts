import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Policy, PolicyFault, readPolicyText } from './policy.ts';
import { isQuiet } from './quiet-hours.ts';

const form = { isWindows: false, ignoresCase: false };
const AUTHOR = `longarm-author1 ${'A'.repeat(43)} Ann`;
const read = (content: object, requireSignatures = false): Policy =>
  readPolicyText(JSON.stringify({ version: 1, ...content }), { form, requireSignatures });

describe('what stands open', () => {
  test('an empty policy narrows nothing', () => {
    expect(read({})).toMatchObject({
      commands: ['PutFile', 'RunScript', 'GetFile'],
      scripts: 'any',
      putFiles: 'any',
      getAllow: null,
      maxFileBytes: Number.POSITIVE_INFINITY,
    });
  });
  test('listing authors requires them, for scripts and put files, and lists no other command', () => {
    const signed = { scripts: 'signed', putFiles: 'signed', commands: ['PutFile', 'RunScript'] } as const;
    expect(read({ authors: [AUTHOR] })).toMatchObject(signed);
    expect(read({ authors: [AUTHOR], putFile: { files: 'any' }, commands: ['GetFile'] })).toMatchObject({
      scripts: 'signed',
      putFiles: 'any',
      commands: ['GetFile'],
    });
    expect(read({ authors: [AUTHOR], scripts: 'any' }, true)).toMatchObject(signed);
    expect(read({ authors: [AUTHOR], scripts: 'off' }, true).scripts).toBe('off');
  });
});

describe('what is not understood is a fault that names its place', () => {
  const cases: [object, string][] = [
    [{ autors: [] }, 'autors'],
    [{ version: 2 }, 'version'],
    [{ authors: ['x'] }, 'authors.0'],
    [{ authors: [] }, 'no author is listed'],
    [{ scripts: 'signed' }, 'no author is listed'],
    [{ scripts: 'none' }, 'scripts'],
    [{ commands: ['RunAnything'] }, 'commands.0'],
    [{ getFile: { deny: ['etc/**'] } }, 'getFile.deny.0'],
    [{ getFile: { allow: ['/ok', 'x'] } }, 'getFile.allow.1'],
    [{ getFile: { maxFileBytes: -1 } }, 'getFile.maxFileBytes'],
    [{ quietHours: [{ from: '24:00', to: '06:00' }] }, 'quietHours.0.from'],
    [{ tags: ['*'] }, 'tags.0'],
  ];
  for (const [content, place] of cases) test(place, () => expect(() => read(content)).toThrow(place));
  test('no JSON', () =>
    expect(() => readPolicyText('scripts: off', { form, requireSignatures: false })).toThrow('JSON'));
});

test('whatever the file holds, it is a policy or a PolicyFault (fuzz)', () => {
  const keys = fc.constantFrom(
    'version',
    'commands',
    'authors',
    'scripts',
    'putFile',
    'getFile',
    'quietHours',
    'tags',
    '__proto__',
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(keys, fc.jsonValue()).map((value) => JSON.stringify({ version: 1, ...value })),
  );
  fc.assert(
    fc.property(text, (content) => {
      try {
        readPolicyText(content, { form, requireSignatures: false });
      } catch (fault) {
        if (!(fault instanceof PolicyFault)) throw fault;
      }
    }),
    { numRuns: 1_000 },
  );
});

test('requiring signatures never opens anything (property)', () => {
  const trust = fc.constantFrom('any', 'signed', 'off');
  fc.assert(
    fc.property(trust, trust, (scripts, files) => {
      const content = { authors: [AUTHOR], scripts, putFile: { files } };
      const strict = read(content, true);
      return strict.scripts !== 'any' && (strict.scripts === scripts || scripts === 'any');
    }),
  );
});

describe('quiet hours', () => {
  const at = (day: number, time: string) => ({ day, minute: Number(time.slice(0, 2)) * 60 + Number(time.slice(3)) });
  test('within a day, its end not included', () => {
    const hours = { from: '09:00', to: '17:00', days: ['mon'] } as const;
    const quiet = (day: number, time: string) => isQuiet({ ...hours, days: ['mon'] }, at(day, time));
    expect([quiet(1, '08:59'), quiet(1, '09:00'), quiet(1, '16:59'), quiet(1, '17:00'), quiet(2, '10:00')]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
  test('over midnight they belong to the day on which they began', () => {
    const quiet = (day: number, time: string) => isQuiet({ from: '22:00', to: '06:00', days: ['sat'] }, at(day, time));
    expect([quiet(6, '22:00'), quiet(0, '05:59'), quiet(0, '06:00'), quiet(6, '05:00'), quiet(0, '23:00')]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(isQuiet({ from: '00:00', to: '00:00' }, at(3, '12:00'))).toBe(true);
  });
});
