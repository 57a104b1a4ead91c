/**
 * A security key in software, as a browser would speak of it: WebAuthn Level 3 with ES256 and no attestation, or one
 * that a hostile client makes up. What it answers is what `toJSON` of a PublicKeyCredential gives.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest();

type Cbor = string | number | Uint8Array | readonly Cbor[] | ReadonlyMap<string | number, Cbor>;

/** RFC 8949, as far as it is needed here. */
const head = (major: number, value: number): Buffer => {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
};

const cbor = (value: Cbor): Buffer => {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])]);
  const items = value as readonly Cbor[];
  return Buffer.concat([head(4, items.length), ...items.map(cbor)]);
};

const USER_PRESENT = 0x01;
const HAS_KEY = 0x40;

export type Asked = { readonly challenge: string; readonly origin: string; readonly rpId: string };

export type SoftKey = {
  readonly id: string;
  /** RegistrationResponseJSON. */
  readonly create: (asked: Asked, attestation?: { readonly fmt: string; readonly x5c: Uint8Array }) => string;
  /** AuthenticationResponseJSON; `counter` is what it says to have counted to. */
  readonly get: (asked: Asked, counter: number) => string;
};

export const softKey = (): SoftKey => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const rawId = randomBytes(32);
  const cose = cbor(
    new Map<number, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  );
  const clientData = (type: string, { challenge, origin }: Asked) =>
    Buffer.from(JSON.stringify({ type: `webauthn.${type}`, challenge, origin, crossOrigin: false }));
  const authData = ({ rpId }: Asked, counter: number, attested = Buffer.alloc(0)) => {
    const flags = attested.length === 0 ? USER_PRESENT : USER_PRESENT | HAS_KEY;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested]);
  };
  const credential = (response: Readonly<Record<string, unknown>>) =>
    JSON.stringify({ id: text(rawId), rawId: text(rawId), type: 'public-key', response, clientExtensionResults: {} });
  return {
    id: text(rawId),
    create: (asked, attestation) => {
      const length = Buffer.from([0, rawId.length]);
      const attested = Buffer.concat([Buffer.alloc(16), length, rawId, cose]);
      const statement = new Map<string, Cbor>();
      if (attestation !== undefined) statement.set('sig', Buffer.alloc(8)).set('x5c', [attestation.x5c]);
      const object = new Map<string, Cbor>([
        ['fmt', attestation?.fmt ?? 'none'],
        ['attStmt', statement],
        ['authData', authData(asked, 0, attested)],
      ]);
      return credential({
        clientDataJSON: text(clientData('create', asked)),
        attestationObject: text(cbor(object)),
        transports: ['usb'],
      });
    },
    get: (asked, counter) => {
      const client = clientData('get', asked);
      const data = authData(asked, counter);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey);
      return credential({
        clientDataJSON: text(client),
        authenticatorData: text(data),
        signature: text(signature),
        userHandle: null,
      });
    },
  };
};
