/** The wiring of what the server shows to TLS clients, and of what devices and clients trust it by. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sha256 } from '@longarm/contract/ids';
import { givenCertificate, ownCertificate, type TlsSource } from '../auth/certificates/tls-source.ts';
import type { ServerConfig } from '../config.ts';
import type { DataFolder } from '../data-folder.ts';
import type { Chore } from '../dispatch/sweeper.ts';
import type { Log } from '../telemetry/log.ts';
import type { Listener } from './listen.ts';

/** The authorities that vouch for the server, PEM, and what enrolment tokens name of them; null where the system's own trust is to do. */
export type Authority = { readonly caPem: () => string; readonly fingerprints: () => readonly Sha256[] };

type Parts = { readonly config: ServerConfig; readonly folder: DataFolder; readonly log: Log };

const givenAuthority = (path: string): Authority => {
  try {
    const caPem = readFileSync(path, 'utf8');
    const { raw } = new X509Certificate(caPem);
    const fingerprint = Sha256.parse(createHash('sha256').update(raw).digest('hex'));
    return { caPem: () => caPem, fingerprints: () => [fingerprint] };
  } catch (cause) {
    throw new Error(`${path}: expected the certificate of an authority in PEM, got something else.`, { cause });
  }
};

export const authorityOf = ({ config, folder }: Omit<Parts, 'log'>): Authority | null => {
  const { current } = folder.certificates;
  if (config.tls === 'own') return { caPem: () => current().caPem, fingerprints: () => current().fingerprints };
  const ca = config.certificateFiles?.ca ?? null;
  return ca === null ? null : givenAuthority(ca);
};

/** Where clients find what they trust the server by, where it made that itself. */
export const tellAuthority = ({ config, folder, log }: Parts): void => {
  if (config.tls !== 'own') return;
  const { fingerprints } = folder.certificates.current();
  log.info(
    { caSha256: fingerprints.join(' '), caFile: join(folder.path, 'tls', 'ca.pem') },
    'clients trust this server by its own CA',
  );
};

/** Null without TLS. */
export const tlsSourceOf = async ({ config, folder }: Parts, now: () => number): Promise<TlsSource | null> => {
  if (config.tls === 'off') return null;
  if (config.certificateFiles !== null) return givenCertificate(config.certificateFiles, now);
  return ownCertificate(folder.certificates, now);
};

/** Hands over to a new listener when there is a new certificate; one that is no good is told of, and the old goes on. */
export const certificateChore = (parts: Parts, source: TlsSource, listener: Listener): Chore => ({
  name: 'certificate',
  everyMs: parts.config.limits['certificate-seconds'] * 1_000,
  run: async () => {
    const found = await source.look();
    if (found === null) return;
    listener.replace(found);
    const { validTo, fingerprint256 } = new X509Certificate(found.certificatePem);
    parts.log.info({ validTo, fingerprint256 }, 'a new certificate is served to new connections');
  },
});
