/** First contact with a server that has a CA of its own making: its certificate, believed by its fingerprint alone. */
import { X509Certificate } from 'node:crypto';
import { AUTHORITIES_CHARACTERS, certificateBlocks } from '@longarm/contract/wire/authorities';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { readApiFailure } from './api-failure.ts';
import { serverBase } from './endpoint-url.ts';
import type { Transport } from './transport.ts';
import { UnexpectedAnswer } from './unexpected-answer.ts';
import { reach } from './unreachable.ts';

/** What answers at that address is not the server whose fingerprint was given. Nothing was sent to it. */
export class FingerprintMismatch extends Error {
  override readonly name = 'FingerprintMismatch';
}

/** Lower-case hex without colons, or null when it is no SHA-256. */
const parseFingerprint = (text: string): string | null => {
  const hex = text.trim().replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
};

/** One, or two while the server's authority is being replaced. */
const readCertificates = (pem: string, url: string): readonly X509Certificate[] => {
  try {
    const certificates = certificateBlocks(pem).map((block) => new X509Certificate(block));
    if (certificates.length > 0) return certificates;
  } catch {
    // a block that holds no certificate is told of like a text without blocks
  }
  throw new UnexpectedAnswer(`Expected a certificate in PEM from ${url}, got something else.`);
};

/** Reads a small body, however much is sent. */
const readSmall = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > AUTHORITIES_CHARACTERS)
      throw new UnexpectedAnswer('Expected a certificate, got a longer answer than any is.');
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
};

/**
 * The CA certificate of `server`, PEM, when the SHA-256 of its DER is `sha256` (hex; colons and case do not
 * matter). The certificate of the connection is not verified, so nothing but this comparison is believed.
 * Throws `FingerprintMismatch`, `ApiFailure`, `UnexpectedAnswer` or `Unreachable`.
 */
export const fetchPinnedCa = async (
  server: string,
  sha256: string,
  io: { readonly transport: Transport; readonly now: () => number },
): Promise<string> => {
  const expected = parseFingerprint(sha256);
  if (expected === null) throw new FingerprintMismatch('Expected a SHA-256 fingerprint of 64 hex digits.');
  const url = new URL(AGENT_PATHS.certificate.slice(1), serverBase(server)).href;
  const pem = await reach(url, async () => {
    const response = await io.transport(url, { redirect: 'manual', tls: { rejectUnauthorized: false } });
    if (!response.ok) throw await readApiFailure(response, io.now());
    return await readSmall(response);
  });
  const certificates = readCertificates(pem, url);
  const certificate = certificates.find(({ fingerprint256 }) => parseFingerprint(fingerprint256) === expected);
  if (certificate === undefined) {
    const got = certificates.map(({ fingerprint256 }) => parseFingerprint(fingerprint256)).join(' and ');
    throw new FingerprintMismatch(
      `Expected a CA with the SHA-256 fingerprint ${expected}, got ${got}. Nothing is trusted. Compare the fingerprint with what the server's administrator reads out; if it differs, someone may be between you and the server.`,
    );
  }
  return certificate.toString();
};
