/** A certificate and its private key in one PEM file, so that a crash never leaves one without the other. */
import 'reflect-metadata';
import './polyfill-reflect.ts';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { PemConverter, X509Certificate } from '@peculiar/x509';

export type CertifiedKey = {
  readonly certificate: X509Certificate;
  /** The certificate alone, one PEM block with a line feed at its end. */
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
};

/** ECDSA on P-256 with SHA-256: what every TLS client in use verifies. */
export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;

const block = (text: string, label: string): string | null =>
  new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0] ?? null;

const hasKey = (certificate: X509Certificate, keyPem: string): boolean => {
  const ofKey = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' });
  return ofKey.equals(new Uint8Array(certificate.publicKey.rawData));
};

export const formatCertifiedKey = (pair: CertifiedKey): string => `${pair.certificatePem}${pair.keyPem}`;

export const certifiedKey = async (certificate: X509Certificate, privateKey: CryptoKey): Promise<CertifiedKey> => ({
  certificate,
  certificatePem: `${certificate.toString('pem')}\n`,
  keyPem: `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')}\n`,
});

/** The file's two parts, or null where one is missing, cannot be read, or belongs to another. */
export const parseCertifiedKey = (content: Uint8Array): CertifiedKey | null => {
  const text = new TextDecoder().decode(content);
  const certificatePem = block(text, 'CERTIFICATE');
  const keyPem = block(text, 'PRIVATE KEY');
  if (certificatePem === null || keyPem === null) return null;
  try {
    const certificate = new X509Certificate(certificatePem);
    if (!hasKey(certificate, keyPem)) return null;
    return { certificate, certificatePem: `${certificatePem}\n`, keyPem: `${keyPem}\n` };
  } catch {
    // the libraries tell a damaged part by errors of many kinds; all mean that the file is of no use
    return null;
  }
};

/** The private key, to sign with. */
export const signingKeyOf = (pair: CertifiedKey): Promise<CryptoKey> =>
  crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pair.keyPem), KEY_ALGORITHM, false, ['sign']);
