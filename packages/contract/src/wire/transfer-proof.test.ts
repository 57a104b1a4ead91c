import { expect, test } from 'bun:test';
import { formatTransferProof, parseTransferProof, transferPlace, transferProofText } from './transfer-proof.ts';

const claim = {
  audience: 'a',
  machineId: 'm',
  method: 'PATCH',
  path: '/p',
  place: '5',
  ticketSha256: 't',
  at: 7,
  nonce: 'n',
};

test('a proof says for which request it is, line by line', () => {
  expect(transferProofText(claim)).toBe('longarm-transfer-v1\na\nm\nPATCH\n/p\n5\nt\n7\nn');
});

test('the place is what the method’s own header says', () => {
  const header = (name: string) => ({ Range: 'bytes=1-2', 'Upload-Length': '3', 'Upload-Offset': '4' })[name];
  expect(['GET', 'HEAD', 'POST', 'PATCH', 'PUT'].map((method) => transferPlace(method, header))).toEqual([
    'bytes=1-2',
    '',
    '3',
    '4',
    '',
  ]);
  expect(transferPlace('GET', () => null)).toBe('');
});

test('the header is read as it was written, and nothing else is', () => {
  const proof = { at: 1_700_000_000_000, nonce: 'n'.repeat(22), signature: 's'.repeat(86) };
  const text = formatTransferProof(proof);
  expect(parseTransferProof(text)).toEqual(proof);
  for (const other of ['', `${text}.`, ` ${text}`, `${text}\n`, text.replace('1', '-'), text.slice(0, -1), `${text}=`])
    expect([other, parseTransferProof(other)]).toEqual([other, null]);
});
