/** Certificates by which applications sign assertions: read at the door, found again by what an assertion says. */
import { createHash, X509Certificate } from 'node:crypto';

export type ClientCertificate = {
  /** SHA-256 of its DER form, base64url: `x5t#S256`. */
  readonly id: string;
  readonly pem: string;
  readonly subject: string;
  readonly expiresAt: number;
};

const SMALLEST_RSA_BITS = 2048;

const isStrong = ({ asymmetricKeyType, asymmetricKeyDetails }: X509Certificate['publicKey']): boolean =>
  (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= SMALLEST_RSA_BITS) ||
  (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1');

const digest = (algorithm: 'sha1' | 'sha256', der: Uint8Array): Buffer => createHash(algorithm).update(der).digest();

/** Null for what is no certificate of RSA (2048 bits and more) or P-256. Only the certificate is kept of a bundle. */
export const readCertificate = (text: string): ClientCertificate | null => {
  try {
    const certificate = new X509Certificate(text);
    if (!isStrong(certificate.publicKey)) return null;
    return {
      id: digest('sha256', certificate.raw).toString('base64url'),
      pem: certificate.toString(),
      subject: certificate.subject.replaceAll('\n', ', '),
      expiresAt: certificate.validToDate.getTime(),
    };
  } catch {
    return null;
  }
};

/** What the header of an assertion may call its certificate (RFC 7515 4.1.4, 4.1.7, 4.1.8). */
export type CertificateHint = {
  readonly kid?: string | undefined;
  readonly x5t?: string | undefined;
  readonly 'x5t#S256'?: string | undefined;
};

/**
 * True when the header means this certificate. Clients write thumbprints as base64url, as plain base64 and as hex, and
 * the SHA-1 of the original in `kid`.
 */
export const isMeant = (pem: string, hint: CertificateHint): boolean => {
  const der = new X509Certificate(pem).raw;
  const names = [digest('sha1', der), digest('sha256', der)].flatMap((hash) => [
    hash.toString('base64url'),
    hash.toString('hex'),
  ]);
  const isOne = (text: string | undefined): boolean => {
    if (text === undefined) return false;
    const plain = text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    return names.includes(plain) || names.includes(plain.toLowerCase());
  };
  return isOne(hint['x5t#S256']) || isOne(hint.x5t) || isOne(hint.kid);
};
