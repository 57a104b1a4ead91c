import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { authorKeyLine, readAuthorKeyLine } from './author-key-line.ts';
import { AUTHOR_SIGNATURE_CHARACTERS, claimedBySignature, compactParts, signatureLines } from './author-signature.ts';

const payload = {
  version: 1,
  fileName: 'triage.sh',
  sha256: 'ab'.repeat(32),
  sizeBytes: 3,
  uses: ['RunScript'],
  arguments: 'any',
  machines: { ids: [], tags: ['lab'], groups: [] },
  notBefore: 0,
  expiresAt: null,
  authorKeyId: 'cd'.repeat(16),
};
const compact = (value: unknown) => `aGVhZA.${Buffer.from(JSON.stringify(value)).toString('base64url')}.c2ln`;

test('a claim is read, letter for letter', () => {
  expect(claimedBySignature(compact(payload))).toEqual(payload as never);
  const odd = { ...payload, fileName: 'Prüfung – 検査.ps1' };
  expect(claimedBySignature(compact(odd))?.fileName).toBe(odd.fileName);
});

test('anything else is no signature', () => {
  const others: unknown[] = [{}, null, { ...payload, version: 2 }, { ...payload, more: 1 }, { ...payload, uses: [] }];
  for (const other of others) expect(claimedBySignature(compact(other))).toBeNull();
  for (const text of [
    '',
    'a.b',
    'a.b.c.d',
    ' a.b.c',
    'a.b.c\n',
    'a=.b.c',
    `a.${'b'.repeat(AUTHOR_SIGNATURE_CHARACTERS)}.c`,
  ])
    expect(claimedBySignature(text)).toBeNull();
});

test('no text makes the decoder throw (fuzz)', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `a.${text.replace(/[+/=]/g, '')}.b`),
      ),
      (text) => {
        claimedBySignature(text);
        compactParts(text);
      },
    ),
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => claimedBySignature(compact(value)) === null));
});

test('several signatures lie one a line', () => {
  expect(signatureLines('a.b.c\r\n\n d.e.f \n')).toEqual(['a.b.c', 'd.e.f']);
  expect(signatureLines(' \n')).toEqual([]);
});

test('a key is one line, there and back', () => {
  const key = { publicKey: 'A'.repeat(43), name: 'Ann Author, IR' };
  expect(readAuthorKeyLine(authorKeyLine(key))).toEqual(key);
  for (const line of [
    '',
    'longarm-author1',
    `longarm-author2 ${'A'.repeat(43)} x`,
    `longarm-author1 ${'A'.repeat(42)} x`,
  ])
    expect(readAuthorKeyLine(line)).toBeNull();
  expect(readAuthorKeyLine(`longarm-author1 ${'A'.repeat(43)} a\nb`)).toBeNull();
});
