import { expect, test } from 'bun:test';
import { crc32, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { gzipTrailer } from './gzip-layout.ts';
import { type GzipSource, gzipStored } from './gzip-stored.ts';

const BLOCK = 65_535;
const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255);

/** In pieces of `step`, which need not fit the blocks. */
const streamed = (bytes: Uint8Array, step: number): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + step));
      else controller.close();
      at += step;
    },
  });
};

const source = (raw: Uint8Array, more: { step?: number; name?: string } = {}) => {
  const reads: [number, number][] = [];
  const gzip: GzipSource = {
    name: more.name ?? 'x.bin',
    rawBytes: raw.length,
    readRaw: (start, end) => {
      reads.push([start, end]);
      return streamed(raw.subarray(start, end), more.step ?? 50_000);
    },
  };
  return { ...gzipStored(gzip), reads };
};

const all = (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> => new Response(stream).bytes();

/** FNAME as RFC 1952 2.3 places it: behind ten bytes, up to a NUL. */
const nameIn = (gzip: Uint8Array): string => String.fromCharCode(...gzip.subarray(10, gzip.indexOf(0, 10)));

test.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 17])(
  '%p raw bytes are wrapped to the length told, and unwrapped by gunzip',
  async (length) => {
    const raw = bytesOf(length);
    for (const step of [1_000, BLOCK, 200_000]) {
      const gzip = source(raw, { step });
      const whole = await all(gzip.stream());
      expect(whole.length).toBe(gzip.totalBytes);
      expect(Buffer.compare(gunzipSync(whole), raw)).toBe(0);
      expect(nameIn(whole)).toBe('x.bin');
      const trailer = new DataView(whole.buffer, whole.byteOffset + whole.length - 8);
      expect([trailer.getUint32(0, true), trailer.getUint32(4, true)]).toEqual([crc32(raw), length]);
    }
  },
);

test('every range is the same slice of the whole', async () => {
  const lengths = fc.constantFrom(0, 1, 300, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 999);
  const edge = fc.record({
    near: fc.constantFrom(0, 16, 16 + BLOCK, 21 + 2 * BLOCK, -8, -1),
    by: fc.integer({ min: -12, max: 12 }),
  });
  const place = (total: number, { near, by }: { near: number; by: number }): number =>
    Math.min(total, Math.max(0, (near < 0 ? total + near : near) + by));
  const wholes = new Map<number, Uint8Array>();
  await fc.assert(
    fc.asyncProperty(
      lengths,
      fc.tuple(edge, edge),
      fc.constantFrom(777, BLOCK, 150_000),
      async (length, edges, step) => {
        const gzip = source(bytesOf(length), { step });
        const whole = wholes.get(length) ?? (await all(gzip.stream()));
        wholes.set(length, whole);
        const [one, other] = [place(whole.length, edges[0]), place(whole.length, edges[1])];
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        const chunks: Uint8Array[] = [];
        for await (const chunk of gzip.stream(range)) chunks.push(chunk);
        expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
        const part = Buffer.concat(chunks);
        expect(Buffer.compare(part, whole.subarray(range.start, range.end))).toBe(0);
      },
    ),
    { numRuns: 400 },
  );
});

test('a range reads the raw bytes that lie in it, and all of them only for the trailer', async () => {
  const gzip = source(bytesOf(3 * BLOCK));
  await all(gzip.stream({ start: 16 + 5 + 100, end: 16 + 5 + 200 }));
  await all(gzip.stream({ start: 0, end: 16 }));
  await all(gzip.stream());
  await all(gzip.stream({ start: 16 + 5 + 100, end: gzip.totalBytes }));
  await all(gzip.stream({ start: gzip.totalBytes - 3, end: gzip.totalBytes }));
  const everything = [0, 3 * BLOCK] as [number, number];
  expect(gzip.reads).toEqual([[100, 200], everything, [100, 3 * BLOCK], everything, everything]);
});

test.each([
  ['C:\\windows\\TEMP\\OfficeClickToRun.dmp.zip', 'OfficeClickToRun.dmp.zip'],
  ['/tmp/Ägypten 日本😀.txt', 'Ägypten ___.txt'],
  ['a\u0000b\u0007c\u0085', 'a_b_c_'],
  ['/tmp/', 'file'],
])('the path %p is named %p', async (path, name) => {
  const whole = await all(source(bytesOf(10), { name: path }).stream());
  expect(nameIn(whole)).toBe(name);
  expect(gunzipSync(whole).length).toBe(10);
});

test('equal bytes under an equal name are an equal file', async () => {
  const [one, other] = [await all(source(bytesOf(99)).stream()), await all(source(bytesOf(99), { step: 7 }).stream())];
  expect(Buffer.compare(one, other)).toBe(0);
  expect(one.subarray(4, 8)).toEqual(new Uint8Array(4));
});

test('a source that gives fewer bytes than it said breaks the download', async () => {
  const gzip = gzipStored({ name: 'x', rawBytes: 100, readRaw: () => streamed(bytesOf(99), 10) });
  await expect(all(gzip.stream())).rejects.toThrow(/Expected 100 raw bytes, got 99/);
});

test('a download that stops lets go of the raw bytes', async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytesOf(1_000)),
    cancel: () => resolve(),
  });
  const reader = gzipStored({ name: 'x', rawBytes: 10 ** 12, readRaw: () => endless })
    .stream()
    .getReader();
  for (let reads = 0; reads < 5; reads += 1) await reader.read();
  await reader.cancel();
  await cancelled;
});

test('past 4 GiB the length told is exact, and the trailer holds it modulo 2^32', () => {
  const rawBytes = 5 * 2 ** 30;
  const gzip = gzipStored({ name: 'x', rawBytes, readRaw: () => streamed(bytesOf(0), 1) });
  expect(gzip.totalBytes).toBe(10 + 2 + rawBytes + 5 * Math.ceil(rawBytes / BLOCK) + 8);
  expect(gzipTrailer(0, rawBytes)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x40));
});
