/** Proof that a device holds its key: Ed25519 over a text that only this moment and this server give sense to. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { MachineId } from '@longarm/contract/ids';

/** True when the signature (base64url) over the text is by the raw public key (base64url). Never throws. */
export const isSignedBy = (publicKey: string, text: string, signature: string): boolean => {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
};

/** The first 160 bits of the SHA-256 of the raw public key. */
export const machineIdOf = (publicKey: string): MachineId =>
  MachineId.parse(createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, 40));
