/** Signs what devices believe: JWS in compact form (RFC 7515) with EdDSA over Ed25519 (RFC 8037). Synchronous on purpose. */
import { type KeyObject, sign } from 'node:crypto';

const encode = (value: object): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

/** `type` is the header's `typ`: what is signed for one use is good for no other. */
export const jwsSigner = <Payload extends object>(
  privateKey: KeyObject,
  type: string,
): ((payload: Payload) => string) => {
  const header = encode({ alg: 'EdDSA', typ: type });
  return (payload) => {
    const input = `${header}.${encode(payload)}`;
    return `${input}.${sign(null, Buffer.from(input, 'ascii'), privateKey).toString('base64url')}`;
  };
};
