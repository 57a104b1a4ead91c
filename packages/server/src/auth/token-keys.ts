/** The key that signs access tokens: RS256 (RFC 7518 3.3), since the clients of the original expect it. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportPKCS8, generateKeyPair, importJWK, importPKCS8, type JWK } from 'jose';
import { readOrCreateFile } from './atomic-file.ts';

const ALGORITHM = 'RS256';
const MODULUS_BITS = 2048;
const FILE_NAME = 'token-signing-key.pem';

export type TokenKey = {
  /** RFC 7638 thumbprint of the public key, SHA-256, base64url. */
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** What `/keys` publishes: `kty`, `n`, `e`, `kid`, `use`, `alg`, and nothing private. */
  readonly publicJwk: JWK;
};

const newPem = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair(ALGORITHM, { modulusLength: MODULUS_BITS, extractable: true });
  return exportPKCS8(privateKey);
};

const publicParts = (path: string, pem: string): JWK => {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa') return createPublicKey(key).export({ format: 'jwk' });
  } catch (cause) {
    throw new Error(keyFileSentence(path), { cause });
  }
  throw new Error(keyFileSentence(path));
};

const keyFileSentence = (path: string): string =>
  `Expected an RSA private key (PKCS#8, PEM) in ${path}, got something else. Restore the file from a backup, ` +
  'or remove it to have a new key made: tokens that the old one signed are then refused.';

/** The signing key in `folder`, made at the first start (PKCS#8 in PEM, mode 0600) and the same ever after. */
export const ensureTokenKey = async (folder: string): Promise<TokenKey> => {
  const path = join(folder, FILE_NAME);
  const pem = new TextDecoder().decode(await readOrCreateFile(path, newPem));
  const jwk = publicParts(path, pem);
  const kid = await calculateJwkThumbprint(jwk);
  const publicKey = await importJWK(jwk, ALGORITHM);
  if (publicKey instanceof Uint8Array) throw new Error(keyFileSentence(path));
  return {
    kid,
    privateKey: await importPKCS8(pem, ALGORITHM),
    publicKey,
    publicJwk: { ...jwk, kid, use: 'sig', alg: ALGORITHM },
  };
};
