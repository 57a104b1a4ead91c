/**
 * The certificate authorities that a server can be trusted by: one, or the old and the new one while the server's own is
 * being replaced. Where several are written, they are PEM blocks behind one another.
 */

/** Most authorities that a device trusts, a token names, or a server announces. */
export const AUTHORITIES_AT_ONCE = 4;

/** Characters of `ca.pem`: a certificate is a few thousand. */
export const AUTHORITIES_CHARACTERS = 65_536;

/** The certificates in a text, each one PEM block with a line feed at its end; what lies between them is left out. */
export const certificateBlocks = (text: string): readonly string[] =>
  (text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? []).map(
    (block) => `${block}\n`,
  );
