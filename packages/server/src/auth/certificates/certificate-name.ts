/** Names that a server certificate can vouch for: DNS names and IP addresses (RFC 5280 4.2.1.6). */
import { isIP } from 'node:net';

/** In the one form in which names are compared: lower case, IPv6 shortened. */
export type CertificateName = { readonly type: 'dns' | 'ip'; readonly value: string };

/** Letters, digits, hyphens and (seen in the field) underscores; the first label may be `*`, the last is no number. */
const DNS_FORM =
  /^(?=.{1,253}$)(?!(.*\.)?[0-9]+$)(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

const shortAddress = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

/** Throws where the text is neither; names beyond ASCII are expected in their `xn--` form. */
export const parseCertificateName = (text: string): CertificateName => {
  const value = text.toLowerCase();
  if (isIP(value) !== 0 && !value.includes('%')) return { type: 'ip', value: shortAddress(value) };
  if (DNS_FORM.test(value)) return { type: 'dns', value };
  throw new Error(`Expected a DNS name or an IP address for the server's certificate, got ${JSON.stringify(text)}.`);
};
