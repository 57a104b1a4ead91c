/** A CA and a certificate for 127.0.0.1, as the server makes them, for tests of TLS; keys never leave the process. */
import { issueCa, issueServerCertificate } from '@longarm/server/auth/certificates/issue-certificate';

export type LoopbackCertificate = {
  readonly caPem: string;
  /** SHA-256 of the CA's DER, lower-case hex. */
  readonly caSha256: string;
  readonly cert: string;
  readonly key: string;
};

/** Valid at `nowMs`. */
export const makeLoopbackCertificate = async (nowMs: number): Promise<LoopbackCertificate> => {
  const ca = await issueCa(nowMs);
  const server = await issueServerCertificate(ca, [{ type: 'ip', value: '127.0.0.1' }], nowMs);
  return {
    caPem: ca.certificatePem,
    caSha256: new Bun.CryptoHasher('sha256').update(ca.certificate.rawData).digest('hex'),
    cert: server.certificatePem,
    key: server.keyPem,
  };
};
