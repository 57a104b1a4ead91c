/**
 * The certificate authorities that a server can be trusted by: one, or the old and the new one while the server's own is
 * being replaced. Where several are written, they are PEM blocks behind one another.
 */
import { z } from 'zod';

/** Most authorities that a device trusts, a token names, or a server announces. */
export const AUTHORITIES_AT_ONCE = 4;

/** Characters of `ca.pem`: a certificate is a few thousand. */
export const AUTHORITIES_CHARACTERS = 65_536;

/** The certificates in a text, each one PEM block with a line feed at its end; what lies between them is left out. */
export const certificateBlocks = (text: string): readonly string[] =>
  (text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? []).map(
    (block) => `${block}\n`,
  );

/** `typ` of what a server says of the authorities that it is to be trusted by: a JWS in compact form, by its envelope key. */
export const TRUST_TYPE = 'longarm-trust+jws';

/** Its payload. Signed, so that nobody who ends TLS on the way can add an authority. */
export const TrustPayload = z.strictObject({
  version: z.literal(1),
  /** The server that says it; as at enrolment. */
  audience: z.string().max(128),
  /** Rises with each change, also of a server that was restored: a device takes nothing older than what it has. */
  serial: z.int().min(1),
  /** PEM, one certificate each: these, and no others. */
  authorities: z.array(z.string().max(8_192)).min(1).max(AUTHORITIES_AT_ONCE),
});
export type TrustPayload = z.infer<typeof TrustPayload>;

/** Characters of a statement. */
export const TRUST_CHARACTERS = 65_536;
