/** An author's signature: JWS in compact form (RFC 7515) with EdDSA over Ed25519 (RFC 8037). */
import { sign } from 'node:crypto';
import {
  AUTHOR_SIGNATURE_CHARACTERS,
  AUTHOR_SIGNATURE_TYPE,
  AuthorSignaturePayload,
} from '@longarm/contract/signing/author-signature';
import { usageFault } from '../faults/cli-fault.ts';
import { type AuthorKeyPair, authorKeyId } from './author-key-file.ts';

const encode = (value: object): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

export type Claim = Omit<AuthorSignaturePayload, 'version' | 'authorKeyId'>;

/** Throws a usage fault when the claim is larger than devices read. */
export const signClaim = (author: AuthorKeyPair, claim: Claim): string => {
  const payload = AuthorSignaturePayload.parse({ version: 1, ...claim, authorKeyId: authorKeyId(author) });
  const input = `${encode({ alg: 'EdDSA', typ: AUTHOR_SIGNATURE_TYPE })}.${encode(payload)}`;
  const compact = `${input}.${sign(null, Buffer.from(input, 'ascii'), author.privateKey).toString('base64url')}`;
  if (compact.length > AUTHOR_SIGNATURE_CHARACTERS)
    throw usageFault(
      `Expected a signature of at most ${AUTHOR_SIGNATURE_CHARACTERS} characters, got ${compact.length}.`,
      'Allow fewer arguments or machines in one signature, or use tags; a file may have several signatures.',
    );
  return compact;
};
