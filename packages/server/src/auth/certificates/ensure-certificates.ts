/**
 * The server's own CA and certificate (semantics 34): made at the first start, read at later ones, the server's
 * renewed in time. In the folder, each mode 0600 and written whole or not at all:
 *
 *   authority.pem   CA certificate and key: devices trust its fingerprint, so it is never replaced
 *   server.pem      server certificate and key: made anew from the CA whenever that is due
 *   ca.pem          CA certificate alone, to be given to clients
 */
import 'reflect-metadata';
import './polyfill-reflect.ts';
import { join } from 'node:path';
import { Sha256 } from '@longarm/contract/ids';
import { SubjectAlternativeNameExtension } from '@peculiar/x509';
import { readFileOrNull, readOrCreateFile, replaceFile } from '../atomic-file.ts';
import { type CertificateName, parseCertificateName } from './certificate-name.ts';
import { issueCa, issueServerCertificate } from './issue-certificate.ts';
import { type CertifiedKey, formatCertifiedKey, parseCertifiedKey } from './key-pair-file.ts';

const RENEWED_BEFORE_END_MS = 30 * 86_400_000;

export type CertificatesIo = {
  readonly folder: string;
  /** DNS names and IP addresses by which the server is reached; at least one. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export type Certificates = {
  readonly caPem: string;
  /** SHA-256 of the CA certificate's DER: what enrolment tokens carry. */
  readonly caSha256: Sha256;
  /** The server's certificate, then the CA's. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** From this moment on another call gives a new server certificate, which needs a new listener. */
  readonly renewAt: number;
};

const damaged = (path: string, advice: string): Error =>
  new Error(`Expected a certificate and its private key (PEM) in ${path}, got something else. ${advice}`);

const CA_ADVICE =
  'Restore it from a backup. Without it, move the whole folder away to have a new CA made: every device and ' +
  'client then has to be told to trust the new one.';

const readCa = async (io: CertificatesIo): Promise<CertifiedKey> => {
  const path = join(io.folder, 'authority.pem');
  const issued = [join(io.folder, 'server.pem'), join(io.folder, 'ca.pem')];
  const content = await readOrCreateFile(path, async () => {
    for (const orphan of issued) {
      if ((await readFileOrNull(orphan)) === null) continue;
      throw new Error(`${path} is missing, and ${orphan}, which belongs to it, is there. ${CA_ADVICE}`);
    }
    return formatCertifiedKey(await issueCa(io.now()));
  });
  const ca = parseCertifiedKey(content);
  if (ca === null) throw damaged(path, CA_ADVICE);
  const end = ca.certificate.notAfter;
  if (end.getTime() <= io.now()) throw new Error(`The CA in ${path} ended at ${end.toISOString()}. ${CA_ADVICE}`);
  return ca;
};

const namesOf = ({ certificate }: CertifiedKey): Set<string> => {
  const items = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return new Set(items.map(({ value }) => parseCertificateName(value).value));
};

const renewAtOf = ({ certificate }: CertifiedKey): number => certificate.notAfter.getTime() - RENEWED_BEFORE_END_MS;

type Wanted = { readonly ca: CertifiedKey; readonly names: readonly CertificateName[]; readonly now: number };

const isDue = async (server: CertifiedKey, { ca, names, now }: Wanted): Promise<boolean> => {
  const { certificate } = server;
  const vouched = namesOf(server);
  if (names.some(({ value }) => !vouched.has(value))) return true;
  if (certificate.notBefore.getTime() > now) return true;
  // one that ends with its CA cannot be made to last longer
  if (now >= renewAtOf(server) && certificate.notAfter < ca.certificate.notAfter) return true;
  return !(await certificate.verify({ publicKey: ca.certificate.publicKey, signatureOnly: true }));
};

const readServer = async (path: string, wanted: Wanted): Promise<CertifiedKey> => {
  const content = await readFileOrNull(path);
  if (content !== null) {
    const present = parseCertifiedKey(content);
    if (present === null) throw damaged(path, 'Restore it from a backup, or remove it to have a new one made.');
    if (!(await isDue(present, wanted))) return present;
  }
  const issued = await issueServerCertificate(wanted.ca, wanted.names, wanted.now);
  await replaceFile(path, formatCertifiedKey(issued));
  return issued;
};

/** Rejects with a sentence where a name is none, where a file is damaged, and where the CA is lost or at its end. */
export const ensureCertificates = async (io: CertificatesIo): Promise<Certificates> => {
  const names = io.names.map(parseCertificateName);
  if (names.length === 0) throw new Error('Expected at least one name for the server certificate, got none.');
  const ca = await readCa(io);
  const server = await readServer(join(io.folder, 'server.pem'), { ca, names, now: io.now() });
  const caPem = ca.certificatePem;
  await replaceFile(join(io.folder, 'ca.pem'), caPem);
  return {
    caPem,
    caSha256: Sha256.parse(new Bun.CryptoHasher('sha256').update(ca.certificate.rawData).digest('hex')),
    certificatePem: `${server.certificatePem}${caPem}`,
    keyPem: server.keyPem,
    renewAt: renewAtOf(server),
  };
};
