import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeTrunkFrame, TRUNK_FRAME_BYTES, type TrunkFrame, trunkDecoder } from './frame.ts';

const numbers = fc.integer({ min: 0, max: 0xffff_ffff });
const frames: fc.Arbitrary<TrunkFrame> = fc.oneof(
  fc.record({ kind: fc.constantFrom('close', 'terminate', 'proven', 'ping', 'pong', 'stop'), socket: numbers }),
  fc.record({
    kind: fc.constantFrom('open', 'text', 'listening'),
    socket: numbers,
    text: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed()),
  }),
  fc.record({ kind: fc.constantFrom('hello', 'binary'), socket: numbers, bytes: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ kind: fc.constant('heard'), socket: numbers, sockets: fc.array(numbers, { maxLength: 50 }) }),
);

const decode = (pieces: readonly Uint8Array[]) => {
  const taken: TrunkFrame[] = [];
  const take = trunkDecoder(
    (frame) => void taken.push('bytes' in frame ? { ...frame, bytes: new Uint8Array(frame.bytes) } : frame),
  );
  for (const piece of pieces) {
    const fault = take(piece);
    if (fault !== null) return { taken, fault };
  }
  return { taken, fault: null };
};

/** The bytes cut into pieces of these sizes, again and again. */
const cut = (bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  for (let [at, place] = [0, 0]; at < bytes.length; place++) {
    const size = sizes[place % sizes.length] ?? 1;
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
};

test('what was said is what is heard, in whatever pieces it arrives', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 20 }), sizes, (said, pieces) => {
      const bytes = Buffer.concat(said.map(encodeTrunkFrame));
      expect(decode(cut(bytes, pieces))).toEqual({ taken: said, fault: null });
    }),
    { numRuns: 300 },
  );
});

const raw = (length: number, ...rest: readonly number[]): Uint8Array => {
  const bytes = Buffer.alloc(4 + rest.length);
  bytes.writeUInt32BE(length, 0);
  bytes.set(rest, 4);
  return bytes;
};

test('what is no frame is said to be none, before more of it is taken in', () => {
  const faults: readonly (readonly [Uint8Array, string])[] = [
    [raw(4, 1, 0, 0, 0), 'expected a frame of 5'],
    [raw(TRUNK_FRAME_BYTES + 1), `to ${TRUNK_FRAME_BYTES} bytes, got ${TRUNK_FRAME_BYTES + 1}`],
    [raw(5, 0, 0, 0, 0, 1), 'expected a kind from 1 to 12, got 0'],
    [raw(5, 13, 0, 0, 0, 1), 'expected a kind from 1 to 12, got 13'],
    [raw(6, 4, 0, 0, 0, 1, 0xff), 'expected UTF-8 in a frame of kind text'],
    [raw(6, 6, 0, 0, 0, 1, 0), 'expected no payload in a frame of kind close'],
    [raw(8, 9, 0, 0, 0, 0, 0, 0, 0), 'expected whole numbers of 4 bytes'],
  ];
  for (const [bytes, says] of faults) expect(decode([bytes]).fault).toContain(says);
  expect(decode([raw(TRUNK_FRAME_BYTES)])).toEqual({ taken: [], fault: null });
});

test('frames before one that is none are heard', () => {
  const good = encodeTrunkFrame({ kind: 'ping', socket: 0 });
  expect(decode([Buffer.concat([good, raw(5, 99, 0, 0, 0, 0)])])).toMatchObject({ taken: [{ kind: 'ping' }] });
});
