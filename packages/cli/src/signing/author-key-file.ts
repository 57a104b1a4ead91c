/**
 * The file of an author's key: Ed25519 (RFC 8032) in JSON, in the clear or sealed with a passphrase by scrypt (RFC 7914)
 * and AES-256-GCM. It never leaves the author's machine, and no server asks for it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scryptSync,
} from 'node:crypto';
import { type AuthorKey, authorKeyLine, readAuthorKeyLine } from '@longarm/contract/signing/author-key-line';
import { z } from 'zod';
import { CliFault } from '../faults/cli-fault.ts';

/** About a third of a second and 128 MiB on a desktop of today. */
const SCRYPT = { N: 131_072, r: 8, p: 1 } as const;
const SCRYPT_MEMORY_BYTES = 268_435_456;
const CIPHER = 'aes-256-gcm';

const Base64Url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const Sealed = z.strictObject({
  kdf: z.literal('scrypt'),
  // what a file may ask for is bounded by what we ask for ourselves
  N: z.literal(SCRYPT.N),
  r: z.literal(SCRYPT.r),
  p: z.literal(SCRYPT.p),
  salt: Base64Url,
  iv: Base64Url,
  tag: Base64Url,
});
const AuthorKeyFile = z.strictObject({
  kind: z.literal('longarm-author-key'),
  version: z.literal(1),
  /** The line for devices. */
  public: z.string(),
  sealed: Sealed.nullable(),
  /** PKCS #8 DER, or its ciphertext; base64url. */
  key: Base64Url,
});
type AuthorKeyFile = z.infer<typeof AuthorKeyFile>;

export type AuthorKeyPair = AuthorKey & { readonly privateKey: KeyObject };

const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64url');

const deriveKey = (passphrase: string, salt: Buffer): Buffer =>
  scryptSync(passphrase.normalize('NFKC'), salt, 32, { ...SCRYPT, maxmem: SCRYPT_MEMORY_BYTES });

const seal = (der: Buffer, passphrase: string, publicLine: string): Pick<AuthorKeyFile, 'key' | 'sealed'> => {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv(CIPHER, deriveKey(passphrase, salt), iv).setAAD(Buffer.from(publicLine));
  const key = Buffer.concat([cipher.update(der), cipher.final()]).toString('base64url');
  const [saltText, ivText, tag] = [salt, iv, cipher.getAuthTag()].map((bytes) => bytes.toString('base64url'));
  return {
    key,
    sealed: { kdf: 'scrypt', ...SCRYPT, salt: saltText ?? '', iv: ivText ?? '', tag: tag ?? '' },
  };
};

const unseal = (file: AuthorKeyFile, passphrase: string): Buffer => {
  const { sealed, key } = file;
  if (sealed === null) return fromBase64(key);
  try {
    const secret = deriveKey(passphrase, fromBase64(sealed.salt));
    const decipher = createDecipheriv(CIPHER, secret, fromBase64(sealed.iv))
      .setAAD(Buffer.from(file.public))
      .setAuthTag(fromBase64(sealed.tag));
    return Buffer.concat([decipher.update(fromBase64(key)), decipher.final()]);
  } catch {
    throw new CliFault('local', 'The passphrase does not open this author key. Check it, and the file.');
  }
};

const rawPublicKey = (key: KeyObject): string => createPublicKey(key).export({ format: 'jwk' }).x ?? '';

/** A new key for this author; `passphrase` null leaves it in the clear. The text is what belongs into the file. */
export const newAuthorKey = (
  name: string,
  passphrase: string | null,
): { readonly text: string; readonly publicLine: string } => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicLine = authorKeyLine({ publicKey: rawPublicKey(privateKey), name });
  if (readAuthorKeyLine(publicLine) === null)
    throw new CliFault('usage', `Expected a name of up to 128 characters on one line, got ${JSON.stringify(name)}.`);
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const kept =
    passphrase === null ? { key: der.toString('base64url'), sealed: null } : seal(der, passphrase, publicLine);
  const file: AuthorKeyFile = { kind: 'longarm-author-key', version: 1, public: publicLine, ...kept };
  return { text: `${JSON.stringify(file, null, 2)}\n`, publicLine };
};

const parseFile = (text: string): AuthorKeyFile => {
  try {
    return AuthorKeyFile.parse(JSON.parse(text));
  } catch {
    throw new CliFault('local', 'Expected a file that `longarm author-key create` made, got something else.');
  }
};

/** The key of a file's text; `askPassphrase` is called only for a sealed one. Throws CliFault `local` when it is none. */
export const openAuthorKey = async (text: string, askPassphrase: () => Promise<string>): Promise<AuthorKeyPair> => {
  const file = parseFile(text);
  const author = readAuthorKeyLine(file.public);
  const der = unseal(file, file.sealed === null ? '' : await askPassphrase());
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  if (author === null || author.publicKey !== rawPublicKey(privateKey))
    throw new CliFault('local', 'The public and the private part of this author key do not belong together.');
  return { ...author, privateKey };
};

/** Finds the key among a device's authors; proves nothing. */
export const authorKeyId = ({ publicKey }: AuthorKey): string =>
  createHash('sha256').update(fromBase64(publicKey)).digest('hex').slice(0, 32);
