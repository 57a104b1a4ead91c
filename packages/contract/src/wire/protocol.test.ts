import { expect, test } from 'bun:test';
import { connectProofText, enrolProofText, libraryFilePath, uploadPath } from './protocol.ts';

test('a proof says what it is for, line by line', () => {
  expect(connectProofText({ nonce: 'n', machineId: 'm', audience: 'a' })).toBe('longarm-connect-v1\na\nm\nn');
  expect(enrolProofText({ tokenId: 't', publicKey: 'p', hardwareId: 'h' })).toBe('longarm-enrol-v1\nt\np\nh');
});

test('transfers of one action lie under that action', () => {
  expect(libraryFilePath('a1', 'ff')).toBe('/agent/v1/actions/a1/files/ff');
  expect(uploadPath({ actionId: 'a1', index: 2, stream: 'stdout' })).toBe(
    '/agent/v1/actions/a1/commands/2/results/stdout',
  );
});
