/** What the server shows to TLS clients, from wherever it comes, and whether there is something newer by now. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { EpochMs } from '@longarm/contract/instant';
import type { CertificateKeeper } from './certificate-keeper.ts';

export type TlsPair = {
  /** The server's certificate, then those above it. */
  readonly certificatePem: string;
  readonly keyPem: string;
};

export type TlsSource = {
  readonly current: () => TlsPair;
  /** The new pair, once, where there is one; null where nothing changed. Rejects with a sentence, once, for one that is no good. */
  readonly look: () => Promise<TlsPair | null>;
};

export type CertificateFiles = { readonly cert: string; readonly key: string };

const KEEP = 'Until it is, the certificate that is served now goes on.';

const readFile = async (path: string): Promise<string> => {
  try {
    return await Bun.file(path).text();
  } catch (cause) {
    throw new Error(`${path}: expected a PEM file that can be read, got none.`, { cause });
  }
};

const certificateIn = (path: string, pem: string): X509Certificate => {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`${path}: expected a certificate in PEM, got something else. ${KEEP}`, { cause });
  }
};

const isKeyOf = (certificate: X509Certificate, keyPem: string): boolean => {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
};

/** Throws a sentence for a pair that no client could use. */
const requireUsable = (files: CertificateFiles, pair: TlsPair, now: EpochMs): TlsPair => {
  const certificate = certificateIn(files.cert, pair.certificatePem);
  if (!isKeyOf(certificate, pair.keyPem))
    throw new Error(`${files.key}: expected the private key of the certificate in ${files.cert}, got another. ${KEEP}`);
  const [from, to] = [certificate.validFrom, certificate.validTo];
  if (Date.parse(to) <= now || Date.parse(from) > now)
    throw new Error(`${files.cert}: expected a certificate that is valid now, got one from ${from} to ${to}. ${KEEP}`);
  return pair;
};

/** A pair of files that somebody else keeps. Rejects with a sentence when it is no good at the start. */
export const givenCertificate = async (files: CertificateFiles, now: () => EpochMs): Promise<TlsSource> => {
  const read = async (): Promise<TlsPair> => ({
    certificatePem: await readFile(files.cert),
    keyPem: await readFile(files.key),
  });
  let seen = await read();
  let current = requireUsable(files, seen, now());
  return {
    current: () => current,
    look: async () => {
      const found = await read();
      if (found.certificatePem === seen.certificatePem && found.keyPem === seen.keyPem) return null;
      seen = found;
      current = requireUsable(files, found, now());
      return current;
    },
  };
};

/** The certificate by the server's own CA: made anew before it ends, and another one when another authority signs. */
export const ownCertificate = (keeper: Pick<CertificateKeeper, 'current' | 'renew'>, now: () => EpochMs): TlsSource => {
  let served = keeper.current();
  return {
    current: () => served,
    look: async () => {
      const before = served.certificatePem;
      served = now() < keeper.current().renewAt ? keeper.current() : await keeper.renew();
      return served.certificatePem === before ? null : served;
    },
  };
};
