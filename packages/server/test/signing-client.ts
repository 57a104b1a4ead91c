/** A client that signs assertions by a certificate of its own making, as clients of the original do. */
import 'reflect-metadata';
import { createHash, X509Certificate } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import { importPKCS8, SignJWT } from 'jose';

type Algorithm = 'RS256' | 'PS256' | 'ES256';
type HeaderName = 'x5t' | 'x5t#S256' | 'kid';

export type Signer = {
  readonly pem: string;
  readonly sign: (assertion: {
    readonly clientId: string;
    readonly audience: string;
    /** In place of the usual ones. */
    readonly claims: Readonly<Record<string, unknown>>;
  }) => Promise<string>;
};

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

/** An RSA certificate says nothing of the padding: the same one signs as RS256 and as PS256. */
const KEYS = {
  RS256: RSA,
  PS256: RSA,
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const;

/** `claimedPem`: another's certificate, whose thumbprint the header claims. */
export const newSigner = async (
  algorithm: Algorithm,
  headerName: HeaderName = 'x5t',
  claimedPem?: string,
): Promise<Signer> => {
  const keys = await crypto.subtle.generateKey(KEYS[algorithm], true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=soar',
    notBefore: new Date(Date.now() - 1_000),
    notAfter: new Date(Date.now() + 3_600_000),
    keys,
    signingAlgorithm: KEYS[algorithm],
  });
  const pem = certificate.toString('pem');
  const der = new X509Certificate(claimedPem ?? pem).raw;
  const digest = (name: string) => createHash(name).update(der).digest();
  const header = {
    x5t: { x5t: digest('sha1').toString('base64url') },
    'x5t#S256': { 'x5t#S256': digest('sha256').toString('base64url') },
    kid: { kid: digest('sha1').toString('hex').toUpperCase() },
  }[headerName];
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = await importPKCS8(`-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----`, algorithm);
  return {
    pem,
    sign: ({ clientId, audience, claims }) => {
      const seconds = Math.floor(Date.now() / 1_000);
      const usual = { iss: clientId, sub: clientId, aud: audience, jti: crypto.randomUUID(), nbf: seconds };
      return new SignJWT({ ...usual, exp: seconds + 600, ...claims })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...header })
        .sign(key);
    },
  };
};
