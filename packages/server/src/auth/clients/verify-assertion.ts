/**
 * An application proves itself by a JWT that it signed (RFC 7523 3): by a certificate of its own, for this very
 * endpoint, soon over, and good once.
 */
import type { ApplicationId, TenantId } from '@longarm/contract/ids';
import { decodeJwt, decodeProtectedHeader, errors, importX509, type JWTPayload, jwtVerify } from 'jose';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { CertificateRecord, CredentialStore } from '../ports.ts';
import { type CertificateHint, isMeant } from './certificate.ts';

const ALGORITHMS = ['RS256', 'PS256', 'ES256'];
/** Of the clocks of two machines. */
const LEEWAY_SECONDS = 300;
/** An assertion lives no longer than this, or remembering what was used would have no end. */
const LONGEST_SECONDS = 86_400;

export type AssertionIo = {
  readonly credentials: Pick<CredentialStore, 'certificatesOf' | 'useAssertion'>;
  readonly now: () => number;
};

export type Assertion = {
  readonly jwt: string;
  readonly applicationId: ApplicationId;
  readonly tenantId: TenantId;
  /** The server's public address. */
  readonly base: string;
};

const wrong = (sentence: string) => new OAuthFault('wrongAssertion', sentence);

/** Who an assertion says that it is of, before anything of it was verified; null when it is no JWT. */
export const subjectOf = (jwt: string): string | null => {
  try {
    return decodeJwt(jwt).sub ?? null;
  } catch {
    return null;
  }
};

const headerOf = (jwt: string): CertificateHint & { readonly alg?: string | undefined } => {
  try {
    const { alg, kid, x5t, 'x5t#S256': x5tS256 } = decodeProtectedHeader(jwt);
    return { alg, kid, x5t, 'x5t#S256': typeof x5tS256 === 'string' ? x5tS256 : undefined };
  } catch {
    throw wrong('The client assertion is not a JWT.');
  }
};

const findCertificate = (records: readonly CertificateRecord[], hint: CertificateHint): CertificateRecord => {
  const record = records.find(({ pem }) => isMeant(pem, hint));
  if (record !== undefined) return record;
  throw wrong(
    'The certificate that signed the client assertion is not one of this application: expected its thumbprint in x5t, x5t#S256 or kid of the header.',
  );
};

/** v1 and v2 form of the endpoint, with either name of the tenant, and the server's public address itself. */
const audiencesOf = (base: string, tenantId: TenantId): readonly string[] =>
  [
    '',
    ...[tenantId, 'default'].flatMap((tenant) =>
      ['', '/oauth2/token', '/oauth2/v2.0/token', '/v2.0'].map((end) => `/${tenant}${end}`),
    ),
  ].flatMap((path) => [base + path, `${base}${path}/`]);

const verifySignature = async (
  io: AssertionIo,
  assertion: Assertion,
  certificate: CertificateRecord,
): Promise<JWTPayload> => {
  const { alg = '' } = headerOf(assertion.jwt);
  if (!ALGORITHMS.includes(alg))
    throw wrong(`Expected a client assertion signed by one of ${ALGORITHMS.join(', ')}, got ${alg}.`);
  try {
    const { payload } = await jwtVerify(assertion.jwt, await importX509(certificate.pem, alg), {
      algorithms: ALGORITHMS,
      audience: [...audiencesOf(assertion.base, assertion.tenantId)],
      issuer: assertion.applicationId,
      subject: assertion.applicationId,
      currentDate: new Date(io.now()),
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ['exp'],
    });
    return payload;
  } catch (fault) {
    if (fault instanceof errors.JWTExpired) throw new OAuthFault('staleAssertion', 'The client assertion has expired.');
    if (fault instanceof errors.JWTClaimValidationFailed)
      throw wrong(
        `The claim ${fault.claim} of the client assertion is not as expected: iss and sub are the client id, aud is ${assertion.base}/${assertion.tenantId}/oauth2/v2.0/token.`,
      );
    throw wrong('The signature of the client assertion does not fit its certificate.');
  }
};

/** Resolves to the certificate that signed it. Throws OAuthFault. */
export const verifyAssertion =
  (io: AssertionIo) =>
  async (assertion: Assertion): Promise<CertificateRecord> => {
    const header = headerOf(assertion.jwt);
    const certificate = findCertificate(await io.credentials.certificatesOf(assertion.applicationId), header);
    if (certificate.expiresAt <= io.now())
      throw new OAuthFault('staleAssertion', 'The certificate that signed the client assertion has expired.');
    const payload = await verifySignature(io, assertion, certificate);
    const expiresAt = (payload.exp ?? 0) * 1_000;
    if (expiresAt > io.now() + (LONGEST_SECONDS + LEEWAY_SECONDS) * 1_000)
      throw wrong(`Expected a client assertion that ends within ${LONGEST_SECONDS} seconds, got a longer one.`);
    const id = hashSecret(`${assertion.applicationId}\n${payload.jti ?? assertion.jwt}`);
    const isFirst = await io.credentials.useAssertion({ id, expiresAt: expiresAt + LEEWAY_SECONDS * 1_000 }, io.now());
    if (!isFirst) throw wrong('The client assertion was used before: make a new one for each request.');
    return certificate;
  };
