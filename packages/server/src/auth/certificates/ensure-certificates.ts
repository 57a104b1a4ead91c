/**
 * The server's own certificate (semantics 34): made at the first start by the authority beside it, read at later ones,
 * renewed in time. In the folder, beside the authorities, each mode 0600 and written whole or not at all:
 *
 *   server.pem      server certificate and key: made anew from the CA whenever that is due
 *   ca.pem          CA certificates alone, to be given to clients
 */
import 'reflect-metadata';
import './polyfill-reflect.ts';
import { join } from 'node:path';
import type { Sha256 } from '@longarm/contract/ids';
import { SubjectAlternativeNameExtension } from '@peculiar/x509';
import { readFileOrNull, replaceFile } from '../atomic-file.ts';
import { type Authorities, CA_ADVICE, damaged, fingerprintOf, readAuthorities } from './authorities.ts';
import { type CertificateName, parseCertificateName } from './certificate-name.ts';
import { issueServerCertificate } from './issue-certificate.ts';
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
  readonly authorities: Authorities;
  /** Every authority that is to be trusted, PEM: the current one first, in the same order all through a rotation. */
  readonly caPem: string;
  /** SHA-256 of each one's DER, in that order: what enrolment tokens carry. */
  readonly fingerprints: readonly Sha256[];
  /** The server's certificate, then that of the CA that signed it. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** From this moment on another call gives a new server certificate, which needs a new listener. */
  readonly renewAt: number;
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

/** The one that signs what the server shows. Throws a sentence at its end. */
const signerOf = (io: CertificatesIo, { current, next, signer }: Authorities): CertifiedKey => {
  const ca = signer === 'next' && next !== null ? next : current;
  const end = ca.certificate.notAfter;
  if (end.getTime() > io.now()) return ca;
  throw new Error(`The CA in ${join(io.folder, 'authority.pem')} ended at ${end.toISOString()}. ${CA_ADVICE}`);
};

/** Rejects with a sentence where a name is none, where a file is damaged, and where the CA is lost or at its end. */
export const ensureCertificates = async (io: CertificatesIo): Promise<Certificates> => {
  const names = io.names.map(parseCertificateName);
  if (names.length === 0) throw new Error('Expected at least one name for the server certificate, got none.');
  const authorities = await readAuthorities(io);
  const ca = signerOf(io, authorities);
  const server = await readServer(join(io.folder, 'server.pem'), { ca, names, now: io.now() });
  const trusted = [authorities.current, ...(authorities.next === null ? [] : [authorities.next])];
  const caPem = trusted.map(({ certificatePem }) => certificatePem).join('');
  await replaceFile(join(io.folder, 'ca.pem'), caPem);
  return {
    authorities,
    caPem,
    fingerprints: trusted.map(fingerprintOf),
    certificatePem: `${server.certificatePem}${ca.certificatePem}`,
    keyPem: server.keyPem,
    renewAt: renewAtOf(server),
  };
};
