/**
 * The server's own certificate authorities on the disk: one, and while it is being replaced the next one beside it. In the
 * folder, each mode 0600 and written whole or not at all:
 *
 *   authority.pem        the CA that every device trusts, with its key
 *   next-authority.pem   the one that is to follow it; counts only where rotation.json names it
 *   rotation.json        what goes on, and the serial of what was announced last; absent before the first rotation
 *
 * Each step is done by one rename, so that a crash leaves it done or not begun:
 *
 *   rotate    next-authority.pem, then rotation.json names it        ← the step
 *   switch    rotation.json says which of the two signs              ← the step
 *   retire    authority.pem becomes the next one                     ← the step; rotation.json follows, by whoever looks
 *   abandon   rotation.json names none                               ← the step
 */
import 'reflect-metadata';
import './polyfill-reflect.ts';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Sha256 } from '@longarm/contract/ids';
import { z } from 'zod';
import { readFileOrNull, readOrCreateFile, replaceFile } from '../atomic-file.ts';
import { issueCa } from './issue-certificate.ts';
import { type CertifiedKey, formatCertifiedKey, parseCertifiedKey } from './key-pair-file.ts';

/** Which of the two authorities signs what the server shows. */
export const SIGNERS = ['current', 'next'] as const;
export type Signer = (typeof SIGNERS)[number];

const Rotation = z.strictObject({
  version: z.literal(1),
  /** Of the last change of what is to be trusted: milliseconds since 1970, and always more than before. */
  serial: z.int().min(1),
  /** SHA-256 of the next authority's DER; null while there is none. */
  next: Sha256.nullable(),
  signer: z.enum(SIGNERS),
});
type Rotation = z.infer<typeof Rotation>;

export type Authorities = {
  readonly current: CertifiedKey;
  readonly next: CertifiedKey | null;
  readonly signer: Signer;
  /** 0 before the first rotation: nothing was ever announced. */
  readonly serial: number;
};

export type AuthoritiesIo = {
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export const fingerprintOf = ({ certificate }: CertifiedKey): Sha256 =>
  Sha256.parse(createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'));

const pathsOf = ({ folder }: AuthoritiesIo) => ({
  current: join(folder, 'authority.pem'),
  next: join(folder, 'next-authority.pem'),
  rotation: join(folder, 'rotation.json'),
});

export const damaged = (path: string, advice: string): Error =>
  new Error(`Expected a certificate and its private key (PEM) in ${path}, got something else. ${advice}`);

export const CA_ADVICE =
  'Restore it from a backup. Without it, move the whole folder away to have a new CA made: every device and ' +
  'client then has to be told to trust the new one.';

const readCurrent = async (io: AuthoritiesIo): Promise<CertifiedKey> => {
  const path = pathsOf(io).current;
  const content = await readOrCreateFile(path, async () => {
    for (const orphan of ['server.pem', 'ca.pem', 'rotation.json'].map((name) => join(io.folder, name))) {
      if ((await readFileOrNull(orphan)) === null) continue;
      throw new Error(`${path} is missing, and ${orphan}, which belongs to it, is there. ${CA_ADVICE}`);
    }
    return formatCertifiedKey(await issueCa(io.now()));
  });
  const ca = parseCertifiedKey(content);
  if (ca === null) throw damaged(path, CA_ADVICE);
  return ca;
};

const readRotation = async (path: string): Promise<Rotation | null> => {
  const content = await readFileOrNull(path);
  if (content === null) return null;
  try {
    return Rotation.parse(JSON.parse(new TextDecoder().decode(content)));
  } catch (cause) {
    throw new Error(`Expected the state of a rotation in ${path}, got something else. ${CA_ADVICE}`, { cause });
  }
};

const readNext = async (io: AuthoritiesIo, named: Sha256): Promise<CertifiedKey> => {
  const path = pathsOf(io).next;
  const next = parseCertifiedKey((await readFileOrNull(path)) ?? new Uint8Array());
  if (next === null || fingerprintOf(next) !== named)
    throw damaged(path, `Restore it from a backup: devices were told to trust it (SHA-256 ${named}).`);
  return next;
};

/** Strictly more than before, and more than any that a backup of earlier can hold. */
const nextSerial = (io: AuthoritiesIo, { serial }: Pick<Authorities, 'serial'>): number =>
  Math.max(serial + 1, Math.floor(io.now()));

const writeRotation = (io: AuthoritiesIo, rotation: Omit<Rotation, 'version'>): Promise<void> =>
  replaceFile(pathsOf(io).rotation, `${JSON.stringify({ version: 1, ...rotation })}\n`);

/** No rotation goes on, and what is to be trusted has changed. */
const settle = async (io: AuthoritiesIo, serial: number): Promise<void> => {
  await writeRotation(io, { serial, next: null, signer: 'current' });
  await rm(pathsOf(io).next, { force: true });
};

/** Rejects with a sentence where a file is damaged or missing. */
export const readAuthorities = async (io: AuthoritiesIo): Promise<Authorities> => {
  const current = await readCurrent(io);
  const rotation = await readRotation(pathsOf(io).rotation);
  if (rotation === null) return { current, next: null, signer: 'current', serial: 0 };
  const { next, signer, serial } = rotation;
  if (next === null) return { current, next: null, signer: 'current', serial };
  if (next !== fingerprintOf(current)) return { current, next: await readNext(io, next), signer, serial };
  // a crash came between the two files of a retirement
  const later = nextSerial(io, rotation);
  await settle(io, later);
  return { current, next: null, signer: 'current', serial: later };
};

/** Makes the next authority, which signs nothing yet. */
export const beginRotation = async (io: AuthoritiesIo, now: Authorities): Promise<void> => {
  const made = await issueCa(io.now());
  await replaceFile(pathsOf(io).next, formatCertifiedKey(made));
  await writeRotation(io, { serial: nextSerial(io, now), next: fingerprintOf(made), signer: 'current' });
};

type Rotating = Authorities & { readonly next: CertifiedKey };

/** What is to be trusted stays as it was announced. */
export const changeSigner = (io: AuthoritiesIo, { serial, next }: Rotating, signer: Signer): Promise<void> =>
  writeRotation(io, { serial, next: fingerprintOf(next), signer });

/** The next authority becomes the only one; the other's key is no more. */
export const retireCurrent = async (io: AuthoritiesIo, now: Rotating): Promise<void> => {
  await replaceFile(pathsOf(io).current, formatCertifiedKey(now.next));
  await settle(io, nextSerial(io, now));
};

/** The current authority stays the only one; the next one's key is no more. */
export const abandonNext = (io: AuthoritiesIo, now: Authorities): Promise<void> => settle(io, nextSerial(io, now));

/** What is trusted is announced anew, as newer than whatever was announced before a backup was taken back. */
export const raiseSerial = (io: AuthoritiesIo, now: Authorities): Promise<void> =>
  writeRotation(io, {
    serial: nextSerial(io, now),
    next: now.next === null ? null : fingerprintOf(now.next),
    signer: now.signer,
  });
