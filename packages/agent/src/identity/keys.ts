/** The device's key pair: Ed25519 (RFC 8032), kept as PKCS #8 PEM, shown as its raw 32 bytes in base64url. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { MachineId } from '@longarm/contract/ids';
import { replaceFile } from '../platform/durable-file.ts';

export type DeviceKeys = {
  /** Raw public key, base64url without padding. */
  readonly publicKey: string;
  /** The first 160 bits of the SHA-256 of the raw public key. */
  readonly machineId: MachineId;
  /** Signs UTF-8 text; base64url. */
  readonly sign: (text: string) => string;
};

const rawPublicKey = (privateKey: KeyObject): Buffer => {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined) throw new Error('expected an Ed25519 key, got another kind');
  return Buffer.from(x, 'base64url');
};

const deviceKeys = (privateKey: KeyObject): DeviceKeys => {
  const raw = rawPublicKey(privateKey);
  return {
    publicKey: raw.toString('base64url'),
    machineId: MachineId.parse(createHash('sha256').update(raw).digest('hex').slice(0, 40)),
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), privateKey).toString('base64url'),
  };
};

/**
 * The keys in this file, made at the first call. They are on disk before anybody hears of them, so that an enrolment
 * whose answer was lost is repeated with the same key. Throws when the file cannot be read as a key.
 */
export const loadKeys = (path: string): DeviceKeys => {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    replaceFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  try {
    return deviceKeys(createPrivateKey(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(
      `${path}: expected an Ed25519 key, got something else. Restore the file, or remove the state folder and enrol anew.`,
      { cause },
    );
  }
};
