import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Sha256 } from '../ids.ts';
import { formatEnrolToken, parseEnrolToken } from './enrol-token.ts';

const unit = fc.constantFrom(...'ABCxyz019_-');
const TOKEN = `longarm1.abcdefgh.${'s'.repeat(20)}.none`;

test('a token, written, is read as it was', () => {
  const fingerprint = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(
      fc.string({ unit, minLength: 8, maxLength: 64 }),
      fc.string({ unit, minLength: 20, maxLength: 128 }),
      fc.array(
        fingerprint.map((text) => Sha256.parse(text)),
        { maxLength: 4 },
      ),
      (id, secret, authorities) => {
        const token = { id, secret, authorities };
        expect(parseEnrolToken(formatEnrolToken(token))).toEqual(token);
      },
    ),
  );
});

test('spaces around it are the work of copying and pasting', () => {
  expect(parseEnrolToken(`  ${TOKEN}\n`)).toEqual({ id: 'abcdefgh', secret: 's'.repeat(20), authorities: [] });
});

test('other texts are none', () => {
  const bad = [
    '',
    'longarm1',
    TOKEN.replace('longarm1', 'longarm2'),
    TOKEN.replace('.none', ''),
    TOKEN.replace('none', 'NONE'),
    `${TOKEN}.x`,
    TOKEN.replace('abcdefgh', 'short'),
    TOKEN.replace('ssss', ''),
  ];
  for (const text of [
    ...bad,
    TOKEN.replace('none', 'a'.repeat(63)),
    TOKEN.replace('none', 'A'.repeat(64)),
    TOKEN.replace('none', `${'a'.repeat(64)}.none`),
    TOKEN.replace('none', Array(5).fill('a'.repeat(64)).join('.')),
    TOKEN.replace('sss', 's s'),
  ]) {
    expect(parseEnrolToken(text)).toBeNull();
  }
});
