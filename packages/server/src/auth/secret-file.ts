/** Secrets that a server makes for itself at its first start and keeps: random bytes, and an Ed25519 key. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readOrCreateFile } from './atomic-file.ts';

/**
 * A random secret of `bytes` bytes, made once and the same ever after; on disk one line of base64url, mode 0600.
 * Throws where the file is there and is not such a secret: it is never replaced, since what it signed would end.
 */
export const ensureSecretFile = async (path: string, bytes: number): Promise<Uint8Array> => {
  const content = await readOrCreateFile(path, () => `${randomBytes(bytes).toString('base64url')}\n`);
  const text = new TextDecoder().decode(content).trim();
  const secret = Buffer.from(text, 'base64url');
  if (secret.length !== bytes || secret.toString('base64url') !== text) {
    throw new Error(
      `Expected ${bytes} random bytes in base64url in ${path}, got ${content.length} bytes of something else. ` +
        'Restore the file from a backup, or remove it to have a new secret made: what the old one signed then ends.',
    );
  }
  return new Uint8Array(secret);
};

/** `publicKeyRaw` is the 32 bytes of RFC 8032 in base64url without padding. */
export type Ed25519Key = {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicKeyRaw: string;
};

const newEd25519Pem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const parseEd25519Pem = ({ path, pem, bond }: { path: string; pem: string; bond: string }): KeyObject => {
  const advice = `Restore the file from a backup: ${bond}, so no new one is made in its place.`;
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`Expected an Ed25519 private key (PKCS#8, PEM) in ${path}, got no key. ${advice}`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Error(`Expected an Ed25519 private key in ${path}, got one of ${key.asymmetricKeyType}. ${advice}`);
  }
  return key;
};

/**
 * An Ed25519 signing key, made once and the same ever after; on disk PKCS#8 in PEM, mode 0600. `bond`: what binds
 * others to this very key.
 */
export const ensureEd25519Key = async (path: string, bond = 'devices obey the old key alone'): Promise<Ed25519Key> => {
  const pem = new TextDecoder().decode(await readOrCreateFile(path, newEd25519Pem));
  const privateKey = parseEd25519Pem({ path, pem, bond });
  const publicKey = createPublicKey(privateKey);
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new Error(`The Ed25519 key in ${path} has no public part.`);
  return { privateKey, publicKey, publicKeyRaw: x };
};
