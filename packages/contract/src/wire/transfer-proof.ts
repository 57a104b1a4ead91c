/**
 * What a device shows with each request of a transfer beside its ticket: that it holds its key, now, for this very
 * request. A ticket that somebody else got hold of is of no use. Like DPoP (RFC 9449) in purpose, smaller in form.
 */
import { TRANSFER_HEADERS } from './protocol.ts';

export const TRANSFER_PROOF_HEADER = 'Longarm-Proof';

/** How old a proof may be when it arrives, milliseconds of server time; and how far ahead of the server's clock. */
export const TRANSFER_PROOF_MS = 60_000;
export const TRANSFER_PROOF_AHEAD_MS = 10_000;

/** Methods of transfers, each with the header that says which part a request is about. */
const PLACE_HEADERS = {
  GET: 'Range',
  HEAD: null,
  POST: TRANSFER_HEADERS.uploadLength,
  PATCH: TRANSFER_HEADERS.uploadOffset,
} as const;

export type TransferMethod = keyof typeof PLACE_HEADERS;

const isTransferMethod = (method: string): method is TransferMethod => method in PLACE_HEADERS;

/** The part of the transfer that a request is about, as its header says it; empty where there is none. */
export const transferPlace = (method: string, header: (name: string) => string | null | undefined): string => {
  const name = isTransferMethod(method) ? PLACE_HEADERS[method] : null;
  return name === null ? '' : (header(name) ?? '');
};

export type TransferClaim = {
  readonly audience: string;
  readonly machineId: string;
  readonly method: string;
  /** Below the server's address. */
  readonly path: string;
  /** `transferPlace`. */
  readonly place: string;
  /** SHA-256 of the ticket's text, base64url. */
  readonly ticketSha256: string;
  /** Server time as the device knows it, milliseconds since 1970. */
  readonly at: number;
  /** Never used before by this device. */
  readonly nonce: string;
};

/** What is signed: UTF-8 of these lines, joined by a line feed. None of them can hold one. */
export const transferProofText = (claim: TransferClaim): string =>
  [
    'longarm-transfer-v1',
    claim.audience,
    claim.machineId,
    claim.method,
    claim.path,
    claim.place,
    claim.ticketSha256,
    String(claim.at),
    claim.nonce,
  ].join('\n');

export type TransferProof = Pick<TransferClaim, 'at' | 'nonce'> & {
  /** Ed25519 over `transferProofText`, base64url. */
  readonly signature: string;
};

const FORM = /^([0-9]{1,15})\.([A-Za-z0-9_-]{16,64})\.([A-Za-z0-9_-]{86})$/;

export const formatTransferProof = ({ at, nonce, signature }: TransferProof): string => `${at}.${nonce}.${signature}`;

/** The header's parts, or null where the text has not the form. */
export const parseTransferProof = (text: string): TransferProof | null => {
  const [, at, nonce = '', signature = ''] = FORM.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), nonce, signature };
};
