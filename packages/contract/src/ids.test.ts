import { describe, expect, test } from 'bun:test';
import { parseActionId, parseMachineId, parseSha256, parseTenantId } from './ids.ts';

const GUID = '5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11';
const FORMS = [
  { parse: parseActionId, good: GUID },
  { parse: parseTenantId, good: GUID },
  { parse: parseMachineId, good: '1e5bc9d7e413ddd7902c2932e418702b84d0cc07' },
  { parse: parseSha256, good: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
] as const;

for (const { parse, good } of FORMS) {
  describe(parse.name, () => {
    test('takes its form, and gives lower case', () => {
      expect(String(parse(good))).toBe(good);
      expect(String(parse(good.toUpperCase()))).toBe(good);
    });
    const bad = [
      '',
      ` ${good}`,
      `${good}\n`,
      good.slice(1),
      `${good}0`,
      good.replace(/[0-9]/, 'g'),
      `{${good}}`,
      `../${good}`,
      `${good}/..`,
    ];
    for (const text of bad) test(`refuses ${JSON.stringify(text)}`, () => expect(parse(text)).toBeNull());
  });
}

test('default is no tenant id: it is an alias in URLs only', () => expect(parseTenantId('default')).toBeNull());
