import { expect, test } from 'bun:test';
import { base32, stepOf, totpUri } from './totp.ts';

const SECRET = new TextEncoder().encode('12345678901234567890');

test('codes are those of RFC 6238, appendix B, by their last six digits', () => {
  const vectors: readonly (readonly [number, string])[] = [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ];
  for (const [seconds, code] of vectors) expect(stepOf(SECRET, code, seconds * 1_000)).toBe(Math.floor(seconds / 30));
});

test('one step early or late is let pass, two are not; spaces are', () => {
  const at = (seconds: number) => stepOf(SECRET, '005 924', seconds * 1_000);
  expect([at(1_234_567_890 - 30), at(1_234_567_890 + 30)]).toEqual([41_152_263, 41_152_263]);
  expect([at(1_234_567_890 - 60), at(1_234_567_890 + 60)]).toEqual([null, null]);
  expect(stepOf(SECRET, '', 1_234_567_890_000)).toBeNull();
});

test('secrets are written in base32 (RFC 4648, 10)', () => {
  const texts = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) => base32(new TextEncoder().encode(text)));
  expect(texts).toEqual(['', 'MY', 'MZXQ', 'MZXW6', 'MZXW6YQ', 'MZXW6YTB', 'MZXW6YTBOI']);
  expect(totpUri(SECRET, 'a b@c')).toStartWith('otpauth://totp/Longarm:a%20b%40c?secret=GEZDGNBV');
});
