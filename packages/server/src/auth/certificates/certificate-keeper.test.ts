import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateKeeper, openCertificates } from './certificate-keeper.ts';
import type { Certificates } from './ensure-certificates.ts';
import type { RotationStep } from './rotation-steps.ts';

let base = '';
let folder = '';
let time = 0;
let keeper: CertificateKeeper;
const open = () => openCertificates({ folder, names: ['127.0.0.1'], now: () => time });
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'longarm-rotation-'));
  folder = join(base, 'tls');
  time = Date.now();
  keeper = await open();
});
afterEach(() => rm(base, { recursive: true }));

const signerOf = ({ certificatePem }: Certificates): string =>
  new X509Certificate(certificatePem.slice(certificatePem.indexOf('-----BEGIN', 10))).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
const signedBy = ({ certificatePem }: Certificates, caPem: string): boolean =>
  new X509Certificate(certificatePem).verify(new X509Certificate(caPem).publicKey);

test('semantics 34: rotate, switch, retire: each authority signs in its turn, and ca.pem holds what is to be trusted', async () => {
  const before = keeper.current();
  const [old = ''] = before.fingerprints;
  const rotated = await keeper.take('rotate');
  const [current, next = ''] = rotated.fingerprints;
  expect<unknown>([current, rotated.authorities.signer]).toEqual([old, 'current']);
  expect(rotated.certificatePem).toBe(before.certificatePem);
  expect(await readFile(join(folder, 'ca.pem'), 'utf8')).toBe(rotated.caPem);
  const switched = await keeper.take('switch');
  expect<string>(signerOf(switched)).toBe(next);
  expect(signedBy(switched, switched.authorities.next?.certificatePem ?? '')).toBe(true);
  // the file stays the same, so that a line of the installer is good all through
  expect([switched.caPem, switched.fingerprints, switched.authorities.serial]).toEqual([
    rotated.caPem,
    rotated.fingerprints,
    rotated.authorities.serial,
  ]);
  const retired = await keeper.take('retire');
  expect<unknown>(retired.fingerprints).toEqual([next]);
  expect(retired.authorities).toMatchObject({ next: null, signer: 'current' });
  // nothing new for whoever is connected: the same certificate goes on
  expect(retired.certificatePem).toBe(switched.certificatePem);
  expect((await readdir(folder)).toSorted()).toEqual(['authority.pem', 'ca.pem', 'rotation.json', 'server.pem']);
  expect((await open()).current()).toEqual(retired);
});

test('serials rise with each change of what is to be trusted, also where the clock was set back', async () => {
  const serials: number[] = [];
  const take = async (step: RotationStep) => serials.push((await keeper.take(step)).authorities.serial);
  await take('rotate');
  time -= 86_400_000;
  await take('abandon');
  await take('rotate');
  await take('switch');
  await take('retire');
  serials.push((await keeper.announceAnew()).authorities.serial);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = serials;
  expect([a < b, b < c, c === d, d < e, e < f]).toEqual([true, true, true, true, true]);
});

test('a switch is taken back, and a next authority that signed nothing is dropped', async () => {
  const before = keeper.current();
  await keeper.take('rotate');
  await keeper.take('switch');
  const back = await keeper.take('switch-back');
  expect<string>(signerOf(back)).toBe(before.fingerprints[0] ?? '');
  const abandoned = await keeper.take('abandon');
  expect(abandoned.fingerprints).toEqual(before.fingerprints);
  expect(await readdir(folder)).not.toContain('next-authority.pem');
});

const PATHS: Readonly<Record<string, readonly RotationStep[]>> = {
  single: [],
  announced: ['rotate'],
  switched: ['rotate', 'switch'],
};
test.each<readonly [string, readonly RotationStep[]]>([
  ['single', ['switch', 'switch-back', 'retire', 'abandon']],
  ['announced', ['rotate', 'switch-back', 'retire']],
  ['switched', ['rotate', 'switch', 'abandon']],
])('%s: steps out of their turn are refused with a sentence, and nothing changes', async (phase, steps) => {
  for (const step of PATHS[phase] ?? []) await keeper.take(step);
  const before = keeper.current();
  for (const step of steps) await expect(keeper.take(step)).rejects.toThrow(/^Nothing was changed: /);
  expect(keeper.current()).toEqual(before);
});

test('steps that come at once are done one after another', async () => {
  const done = await Promise.allSettled([keeper.take('rotate'), keeper.take('rotate'), keeper.take('switch')]);
  expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(keeper.current().authorities.signer).toBe('next');
});

describe('a crash', () => {
  test('before the next authority is named leaves one that nobody was told of: it is made anew', async () => {
    await keeper.take('rotate');
    const orphan = await readFile(join(folder, 'next-authority.pem'), 'utf8');
    await rm(join(folder, 'rotation.json'));
    keeper = await open();
    expect(keeper.current().fingerprints).toHaveLength(1);
    await keeper.take('rotate');
    expect(await readFile(join(folder, 'next-authority.pem'), 'utf8')).not.toBe(orphan);
  });

  test('between the files of a retirement: it is done by the next start', async () => {
    await keeper.take('rotate');
    const { fingerprints, authorities } = await keeper.take('switch');
    await cp(join(folder, 'next-authority.pem'), join(folder, 'authority.pem'));
    keeper = await open();
    const now = keeper.current();
    expect(now.fingerprints).toEqual(fingerprints.slice(1));
    expect(now.authorities.serial).toBeGreaterThan(authorities.serial);
    expect(await readdir(folder)).not.toContain('next-authority.pem');
    expect((await open()).current().authorities.serial).toBe(now.authorities.serial);
  });

  test('after a switch and before its certificate: it is made by the next start', async () => {
    const before = await keeper.take('rotate');
    await cp(folder, join(base, 'copy'), { recursive: true });
    await keeper.take('switch');
    await rename(join(base, 'copy', 'server.pem'), join(folder, 'server.pem'));
    expect<string>(signerOf((await open()).current())).toBe(before.fingerprints[1] ?? '');
  });
});

test('a next authority that is lost or another one, and a damaged state, are told and left as they are', async () => {
  await keeper.take('rotate');
  await cp(folder, join(base, 'copy'), { recursive: true });
  await rm(join(folder, 'next-authority.pem'));
  await expect(open()).rejects.toThrow(/next-authority\.pem.*devices were told to trust it/);
  await cp(join(folder, 'server.pem'), join(folder, 'next-authority.pem'));
  await expect(open()).rejects.toThrow(/next-authority\.pem/);
  await writeFile(join(folder, 'rotation.json'), '{"version":2}');
  await expect(open()).rejects.toThrow(/state of a rotation in .*rotation\.json/);
  // and a state without its authority makes no new one
  await rm(join(folder, 'authority.pem'));
  await rm(join(folder, 'server.pem'));
  await rm(join(folder, 'ca.pem'));
  await expect(open()).rejects.toThrow(/authority\.pem is missing/);
});
