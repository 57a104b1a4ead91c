/**
 * The key of a simulated agent, made anew from the fleet's seed and the agent's number whenever it is needed: a fleet
 * keeps no keys, and the same seed is the same fleet.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { MachineId } from '@longarm/contract/ids';

/** DER of a PKCS #8 Ed25519 private key up to its 32 bytes (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export type AgentKey = {
  /** Raw public key, base64url without padding. */
  readonly publicKey: string;
  readonly machineId: MachineId;
  /** Ed25519 over the text's UTF-8, base64url. */
  readonly signText: (text: string) => string;
};

export const agentKey = (seed: string, index: number): AgentKey => {
  const secret = createHash('sha256').update(`${seed}\n${index}`).digest();
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const digest = createHash('sha256').update(Buffer.from(x, 'base64url')).digest('hex');
  return {
    publicKey: x,
    machineId: MachineId.parse(digest.slice(0, 40)),
    signText: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
};
