import { expect, test } from 'bun:test';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { agentKey } from './agent-key.ts';

const isSignedBy = (publicKey: string, text: string, signature: string): boolean =>
  verify(
    null,
    Buffer.from(text),
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  );

test('the same seed and number are the same agent, others are others', () => {
  const key = agentKey('s', 7);
  expect(agentKey('s', 7).machineId).toBe(key.machineId);
  expect(new Set([key, agentKey('s', 8), agentKey('t', 7)].map(({ machineId }) => machineId)).size).toBe(3);
});

test('what it signs is verified by the key that its machine id is made of', () => {
  const { publicKey, machineId, signText } = agentKey('s', 1);
  expect(isSignedBy(publicKey, 'a text', signText('a text'))).toBe(true);
  expect(isSignedBy(publicKey, 'another', signText('a text'))).toBe(false);
  expect(createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex')).toStartWith(machineId);
});
