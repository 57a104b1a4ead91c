/**
 * Opens a data folder: locked for this process, keys and store at hand. The server and, when none runs, the command
 * line come through here.
 *
 *   DIR/store.db  audit-checkpoints.jsonl  blobs/  keys/  tls/  lock.db  admin.sock
 */
import { Database } from 'bun:sqlite';
import { chmod, mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { TenantId } from '@longarm/contract/ids';
import { TRUST_TYPE } from '@longarm/contract/wire/authorities';
import { KEY_RECEIPT_TYPE, type KeyReceipt } from '@longarm/contract/wire/device-key';
import type { EnvelopeTerms } from './actions/ports.ts';
import type { SignHead } from './audit/ports.ts';
import { type CertificateKeeper, openCertificates } from './auth/certificates/certificate-keeper.ts';
import { type Announce, announcer } from './auth/certificates/trust-statement.ts';
import { checkpointSigner } from './auth/checkpoint-signer.ts';
import { envelopeSigner } from './auth/envelope-signer.ts';
import { jwsSigner } from './auth/jws-signer.ts';
import { ensureEd25519Key, ensureSecretFile } from './auth/secret-file.ts';
import { ensureTokenKey, type TokenKey } from './auth/token-keys.ts';
import { openStore, type Store } from './store/open-store.ts';
import type { UnitWatch } from './store/unit-queue.ts';

const SEAL_KEY_BYTES = 32;
/** How long to wait for a process that is about to let the folder go: another command, a server that stops. */
const LOCK_WAIT_MS = 5_000;

export type DataFolder = {
  readonly path: string;
  readonly store: Store;
  readonly tenant: TenantId;
  readonly tokenKey: TokenKey;
  /** Seals tickets and links. */
  readonly sealKey: Uint8Array;
  /** Raw Ed25519 public key, base64url, by which devices verify envelopes. */
  readonly envelopeKey: string;
  /** Who devices prove themselves to; stays with the folder. */
  readonly audience: string;
  /** By the audit's own key. */
  readonly signCheckpoint: SignHead;
  readonly certificates: CertificateKeeper;
  /** What devices are told to trust the own certificate by, signed by the envelope key. */
  readonly announce: Announce;
  /** The word that a device's key holds, by the envelope key. */
  readonly signReceipt: (receipt: KeyReceipt) => string;
  readonly close: () => Promise<void>;
};

/** The folder is open in another process. */
export class FolderLocked extends Error {
  override readonly name = 'FolderLocked';
}

/**
 * An exclusive lock that the system drops when the process ends, however it ends: SQLite's own lock on a file of its
 * own, held by a transaction that never commits.
 */
const lockFolder = (path: string): (() => void) => {
  const lock = new Database(join(path, 'lock.db'), { create: true });
  try {
    lock.run(`pragma busy_timeout = ${LOCK_WAIT_MS}`);
    lock.run('begin exclusive');
  } catch (cause) {
    lock.close();
    throw new FolderLocked(`The data folder ${path} is open in another process.`, { cause });
  }
  return () => lock.close();
};

export const serverNames = (host: string, publicUrl: string | null): readonly string[] => {
  const names = ['localhost', '127.0.0.1', '::1', hostname()];
  if (host !== '0.0.0.0' && host !== '::') names.push(host);
  if (publicUrl !== null) names.push(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''));
  return [...new Set(names)];
};

export type OpenFolder = {
  readonly path: string;
  readonly now: () => number;
  readonly terms: EnvelopeTerms;
  /** Names for the server's certificate. */
  readonly names: readonly string[];
  /** Whoever measures the store's writer. */
  readonly watch?: UnitWatch | undefined;
};

/** Throws FolderLocked when another process has it. */
export const openDataFolder = async (io: OpenFolder): Promise<DataFolder> => {
  const path = resolve(io.path);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  const unlock = lockFolder(path);
  try {
    const key = await ensureEd25519Key(join(path, 'keys', 'envelope-key.pem'));
    const sealKey = await ensureSecretFile(join(path, 'keys', 'seal-key'), SEAL_KEY_BYTES);
    const auditKey = await ensureEd25519Key(
      join(path, 'keys', 'audit-key.pem'),
      'checkpoints kept elsewhere are by it',
    );
    const signCheckpoint = checkpointSigner(auditKey);
    const tokenKey = await ensureTokenKey(join(path, 'keys'));
    const certificates = await openCertificates({ folder: join(path, 'tls'), names: io.names, now: io.now });
    const envelopes = { sign: envelopeSigner(key.privateKey), terms: io.terms };
    const store = await openStore({ file: join(path, 'store.db'), clock: { now: io.now }, envelopes, watch: io.watch });
    const audience = await store.access.keepSetting('audience', crypto.randomUUID());
    const announce = announcer({
      current: certificates.current,
      audience,
      sign: jwsSigner(key.privateKey, TRUST_TYPE),
    });
    const signReceipt = jwsSigner<KeyReceipt>(key.privateKey, KEY_RECEIPT_TYPE);
    const tenant = await store.access.defaultTenant();
    const close = async () => {
      await store.close();
      unlock();
    };
    const keys = { tokenKey, sealKey, envelopeKey: key.publicKeyRaw, signCheckpoint };
    return { path, store, tenant, ...keys, audience, certificates, announce, signReceipt, close };
  } catch (fault) {
    unlock();
    throw fault;
  }
};
