import { expect, test } from 'bun:test';
import { certificateBlocks } from './authorities.ts';

const block = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

test('certificates are found in their order, whatever lies between them', () => {
  const text = `first:\r\n${block('AAAA')}a key\n-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n${block('C+/=')}`;
  expect(certificateBlocks(text)).toEqual([block('AAAA'), block('C+/=')]);
});

test('what is none gives none', () => {
  for (const text of ['', 'hello', block('A-A'), '-----BEGIN CERTIFICATE-----\nAAAA'])
    expect(certificateBlocks(text)).toEqual([]);
});
