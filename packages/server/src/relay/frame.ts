/**
 * What main process and gateway process say to each other: frames of binary, one after another on one stream (the trunk).
 *
 *   length: u32, of what follows │ kind: u8 │ socket: u32, 0 where it is about none │ payload
 *
 * Numbers are big-endian. The decoder is strict: what it does not understand ends the trunk, and with it the gateway.
 */
import { FRAME_EXCESS_BYTES, FRAME_TO_AGENT_BYTES } from '@longarm/contract/limits';

/** A frame's number on the wire is its place here, from 1. */
const KINDS = [
  'hello',
  'listening',
  'open',
  'text',
  'binary',
  'close',
  'terminate',
  'proven',
  'heard',
  'ping',
  'pong',
  'stop',
] as const;

export type TrunkKind = (typeof KINDS)[number];

/** The form of each kind's payload. */
const PAYLOADS = {
  /** Gateway, first of all: the secret that it was started with. */
  hello: 'bytes',
  /** Gateway: it listens, on which port and with how many places for devices (orders.ts). */
  listening: 'text',
  /** Gateway: a socket for devices was opened, from this address. */
  open: 'text',
  /** Either: a message of the socket. */
  text: 'text',
  /** Gateway: one that is no text; what comes of it is decided where texts are. */
  binary: 'bytes',
  /** Main: close it. Gateway: it is closed; the number is not heard of again. */
  close: 'none',
  /** Main: without a word, and without waiting for the other side. */
  terminate: 'none',
  /** Main: its heartbeats may be answered in the gateway. */
  proven: 'none',
  /** Gateway: these sent heartbeats, which were answered. */
  heard: 'sockets',
  /** Main: say that you are there. */
  ping: 'none',
  /** Gateway: it is. */
  pong: 'none',
  /** Main: everything has been said; end. */
  stop: 'none',
} as const satisfies Record<TrunkKind, 'none' | 'text' | 'bytes' | 'sockets'>;

type KindOf<Form> = { [Kind in TrunkKind]: (typeof PAYLOADS)[Kind] extends Form ? Kind : never }[TrunkKind];

export type TrunkFrame =
  | { readonly kind: KindOf<'none'>; readonly socket: number }
  | { readonly kind: KindOf<'text'>; readonly socket: number; readonly text: string }
  | { readonly kind: KindOf<'bytes'>; readonly socket: number; readonly bytes: Uint8Array }
  | { readonly kind: KindOf<'sockets'>; readonly socket: number; readonly sockets: readonly number[] };

const LENGTH_BYTES = 4;
/** Kind and socket. */
const HEAD_BYTES = 5;
const SOCKET_BYTES = 4;
/** The longest message of either side, and what stands before it. */
export const TRUNK_FRAME_BYTES = FRAME_TO_AGENT_BYTES + FRAME_EXCESS_BYTES;

const payloadOf = (frame: TrunkFrame): Uint8Array => {
  if ('text' in frame) return Buffer.from(frame.text);
  if ('bytes' in frame) return frame.bytes;
  if (!('sockets' in frame)) return new Uint8Array(0);
  const payload = Buffer.allocUnsafe(frame.sockets.length * SOCKET_BYTES);
  for (const [place, socket] of frame.sockets.entries()) payload.writeUInt32BE(socket, place * SOCKET_BYTES);
  return payload;
};

export const encodeTrunkFrame = (frame: TrunkFrame): Uint8Array => {
  const payload = payloadOf(frame);
  const encoded = Buffer.allocUnsafe(LENGTH_BYTES + HEAD_BYTES + payload.length);
  encoded.writeUInt32BE(HEAD_BYTES + payload.length, 0);
  encoded.writeUInt8(KINDS.indexOf(frame.kind) + 1, LENGTH_BYTES);
  encoded.writeUInt32BE(frame.socket, LENGTH_BYTES + 1);
  encoded.set(payload, LENGTH_BYTES + HEAD_BYTES);
  return encoded;
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const textFrame = (kind: KindOf<'text'>, socket: number, payload: Uint8Array): TrunkFrame | string => {
  try {
    return { kind, socket, text: decoder.decode(payload) };
  } catch {
    return `expected UTF-8 in a frame of kind ${kind}, got something else`;
  }
};

const socketsFrame = (kind: KindOf<'sockets'>, socket: number, payload: Buffer): TrunkFrame | string => {
  if (payload.length % SOCKET_BYTES !== 0) return `expected whole numbers of ${SOCKET_BYTES} bytes, got part of one`;
  const count = payload.length / SOCKET_BYTES;
  return { kind, socket, sockets: Array.from({ length: count }, (_, place) => payload.readUInt32BE(place * 4)) };
};

const isOf = <Form extends string>(kind: TrunkKind, form: Form): kind is KindOf<Form> => PAYLOADS[kind] === form;

/** One frame, its length taken off; a sentence for what is none. */
const decodeOne = (encoded: Buffer): TrunkFrame | string => {
  const kind = KINDS[encoded.readUInt8(0) - 1];
  if (kind === undefined) return `expected a kind from 1 to ${KINDS.length}, got ${encoded.readUInt8(0)}`;
  const socket = encoded.readUInt32BE(1);
  const payload = encoded.subarray(HEAD_BYTES);
  if (isOf(kind, 'text')) return textFrame(kind, socket, payload);
  if (isOf(kind, 'bytes')) return { kind, socket, bytes: payload };
  if (isOf(kind, 'sockets')) return socketsFrame(kind, socket, payload);
  return payload.length === 0 ? { kind, socket } : `expected no payload in a frame of kind ${kind}, got one`;
};

/**
 * Takes what arrives, in whatever pieces, and hands on whole frames. Gives a sentence for what is no frame; nothing may be
 * handed to it after that. What it holds is bounded by the longest frame and one piece.
 */
export const trunkDecoder = (take: (frame: TrunkFrame) => void): ((piece: Uint8Array) => string | null) => {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let wanted = LENGTH_BYTES;
  return (piece) => {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes < wanted) return null;
    const all = Buffer.concat(held);
    let at = 0;
    for (;;) {
      wanted = LENGTH_BYTES;
      if (all.length - at < wanted) break;
      const length = all.readUInt32BE(at);
      if (length < HEAD_BYTES || length > TRUNK_FRAME_BYTES)
        return `expected a frame of ${HEAD_BYTES} to ${TRUNK_FRAME_BYTES} bytes, got ${length}`;
      wanted += length;
      if (all.length - at < wanted) break;
      const frame = decodeOne(all.subarray(at + LENGTH_BYTES, at + wanted));
      if (typeof frame === 'string') return frame;
      at += wanted;
      take(frame);
    }
    held = at < all.length ? [all.subarray(at)] : [];
    heldBytes = all.length - at;
    return null;
  };
};
