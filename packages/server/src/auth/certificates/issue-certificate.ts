/** Certificates of our own making (RFC 5280): a CA that signs server certificates and nothing below them. */
import 'reflect-metadata';
import './polyfill-reflect.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { CertificateName } from './certificate-name.ts';
import { type CertifiedKey, certifiedKey, KEY_ALGORITHM, SIGNING_ALGORITHM, signingKeyOf } from './key-pair-file.ts';

const DAY_MS = 86_400_000;
const CA_DAYS = 3_650;
/** From its first moment to its last: one day less than the 398 past which strict clients refuse. */
const SERVER_DAYS = 397;
/** Valid since yesterday, so that a device whose clock is behind can connect and learn the time. */
const BACKDATED_DAYS = 1;

const hex = (bytes: number): string => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');

/** Positive and 127 random bits behind a fixed one, within the 20 octets of RFC 5280 4.1.2.2. */
const newSerial = (): string => `40${hex(16)}`;

const newKeys = () => crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);

const life = (now: number, days: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now - BACKDATED_DAYS * DAY_MS),
  notAfter: new Date(now + (days - BACKDATED_DAYS) * DAY_MS),
});

/** A CA of ten years, valid at `now` (milliseconds since 1970). Its name is random: several may be trusted side by side. */
export const issueCa = async (now: number): Promise<CertifiedKey> => {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [`Longarm CA ${hex(4)}`] }],
    ...life(now, CA_DAYS),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certifiedKey(certificate, keys.privateKey);
};

/** A server certificate of 397 days for the names, or until the CA's end where that comes first. */
export const issueServerCertificate = async (
  ca: CertifiedKey,
  names: readonly CertificateName[],
  now: number,
): Promise<CertifiedKey> => {
  const keys = await newKeys();
  const { notBefore, notAfter } = life(now, SERVER_DAYS);
  const caEnd = ca.certificate.notAfter.getTime();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: ['Longarm server'] }],
    issuer: ca.certificate.subjectName.toJSON(),
    notBefore,
    notAfter: new Date(Math.min(notAfter.getTime(), caEnd)),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await signingKeyOf(ca),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map(({ type, value }) => ({ type, value }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  });
  return certifiedKey(certificate, keys.privateKey);
};
