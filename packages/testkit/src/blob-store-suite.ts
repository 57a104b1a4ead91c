/**
 * What every blob store promises, as tests: an adapter calls `blobStoreSuite` with a way to make a store, and is
 * right when all pass. The promises stand in the port, `BlobStore` of the server's library.
 */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type Sha256, Sha256 as Sha256Form } from '@longarm/contract/ids';
import { type BlobStore, UploadFault } from '@longarm/server/library/ports';
import fc from 'fast-check';
import { until } from './until.ts';

export type BlobStoreFixture = {
  readonly store: BlobStore;
  /** The same bytes as a new process would find them: nothing in memory is carried over. */
  readonly reopen: () => Promise<BlobStore>;
  /** A moment after everything that was done and before everything that will be. */
  readonly between: () => Promise<number>;
  readonly dispose: () => Promise<void>;
};

type Bench = { fixture: BlobStoreFixture };

const KEY = 'action-0-stdout';
const ABSENT = Sha256Form.parse('0'.repeat(64));

const bytesOf = (length: number, seed = 1): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 0xff);

const sha256Of = (bytes: Uint8Array): string => new Bun.CryptoHasher('sha256').update(bytes).digest('hex');

const bodyOf = (...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

/** Gives its chunks one by one, then breaks. */
const brokenBody = (...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> => {
  const left = [...chunks];
  return new ReadableStream({
    pull: (controller) => {
      const chunk = left.shift();
      if (chunk === undefined) controller.error(new Error('the connection broke'));
      else controller.enqueue(chunk);
    },
  });
};

const readAll = async (store: BlobStore, ...asked: Parameters<BlobStore['read']>): Promise<Uint8Array> =>
  new Response(store.read(...asked)).bytes();

const collect = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
};

/** The fault that the work ends with; a test fails when it does not, or ends with another kind of error. */
const faultOf = async (work: Promise<unknown>): Promise<Pick<UploadFault, 'kind' | 'uploadedBytes'>> => {
  const fault = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  if (!(fault instanceof UploadFault)) throw new Error('Expected an UploadFault.', { cause: fault });
  return { kind: fault.kind, uploadedBytes: fault.uploadedBytes };
};

const wholeBlobs = (bench: Bench): void => {
  test.each([0, 1, 5_000, 700_000])('a blob of %p bytes is read back under its SHA-256', async (length) => {
    const { store } = bench.fixture;
    const bytes = bytesOf(length);
    const stored = await store.put(bodyOf(bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)), length);
    expect(stored).toEqual({ sha256: Sha256Form.parse(sha256Of(bytes)), sizeBytes: length });
    expect(await store.size(stored.sha256)).toBe(length);
    expect(sha256Of(await readAll(store, stored.sha256))).toBe(stored.sha256);
    expect(sha256Of(await readAll(await bench.fixture.reopen(), stored.sha256))).toBe(stored.sha256);
  });

  test('a blob that is put twice, also at once, is one blob', async () => {
    const { store } = bench.fixture;
    const bytes = bytesOf(9_000);
    const stored = await Promise.all([1, 2, 3].map(() => store.put(bodyOf(bytes), bytes.length)));
    expect(new Set(stored.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(await collect(store.olderThan(await bench.fixture.between()))).toHaveLength(1);
  });

  test('a blob one byte too long is refused, and nothing of it stays', async () => {
    const { store } = bench.fixture;
    const bytes = bytesOf(1_001);
    expect((await faultOf(store.put(bodyOf(bytes), 1_000))).kind).toBe('too-long');
    await expectNothing();
    await expect(store.put(brokenBody(bytes), 5_000)).rejects.toThrow('the connection broke');
    await expectNothing();

    async function expectNothing(): Promise<void> {
      const moment = await bench.fixture.between();
      expect(await collect(store.olderThan(moment))).toEqual([]);
      expect(await store.discardStale(moment)).toBe(0);
    }
  });
};

const reading = (bench: Bench): void => {
  test('a blob that is not here has no size, and reading it fails', async () => {
    const { store } = bench.fixture;
    expect(await store.size(ABSENT)).toBeNull();
    await expect((async () => readAll(store, ABSENT))()).rejects.toThrow();
  });

  test('every range of a blob is the same slice of it', async () => {
    const { store } = bench.fixture;
    const bytes = bytesOf(600_000);
    const { sha256 } = await store.put(bodyOf(bytes), bytes.length);
    const edge = fc.oneof(fc.constantFrom(0, 1, 262_144, 524_288, 599_999, 600_000), fc.nat(bytes.length));
    await fc.assert(
      fc.asyncProperty(edge, edge, async (one, other) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        const part = await readAll(store, sha256, range);
        expect(Buffer.compare(part, bytes.subarray(range.start, range.end))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('a reader that stops early leaves the blob readable', async () => {
    const { store } = bench.fixture;
    const bytes = bytesOf(2_000_000);
    const { sha256 } = await store.put(bodyOf(bytes), bytes.length);
    const reader = store.read(sha256).getReader();
    expect((await reader.read()).done).toBe(false);
    await reader.cancel();
    expect(sha256Of(await readAll(store, sha256))).toBe(sha256);
  });
};

const appendTo =
  (bench: Bench) =>
  (offset: number, body: ReadableStream<Uint8Array>, lengthBytes = 100_000): Promise<number> =>
    bench.fixture.store.append(KEY, { offset, lengthBytes, body });

const uploads = (bench: Bench): void => {
  const append = appendTo(bench);

  test('appends in parts, over a restart, make the blob of the whole', async () => {
    const bytes = bytesOf(100_000);
    expect(await append(0, bodyOf(bytes.subarray(0, 10), bytesOf(0), bytes.subarray(10, 40_000)))).toBe(40_000);
    expect(await append(40_000, bodyOf(bytes.subarray(40_000, 70_000)))).toBe(70_000);
    const later = await bench.fixture.reopen();
    expect(await later.uploadedBytes(KEY)).toBe(70_000);
    const rest = bodyOf(bytes.subarray(70_000));
    expect(await later.append(KEY, { offset: 70_000, lengthBytes: 100_000, body: rest })).toBe(100_000);
    const stored = await later.complete(KEY, 100_000);
    expect(stored).toEqual({ sha256: Sha256Form.parse(sha256Of(bytes)), sizeBytes: 100_000 });
    expect(await later.uploadedBytes(KEY)).toBe(0);
    expect(sha256Of(await readAll(later, stored.sha256))).toBe(stored.sha256);
  });

  test('an upload that a restart met when it was whole is completed by its bytes', async () => {
    const bytes = bytesOf(50_000, 3);
    await append(0, bodyOf(bytes), 50_000);
    expect((await (await bench.fixture.reopen()).complete(KEY, 50_000)).sha256 as string).toBe(sha256Of(bytes));
  });

  test('an upload that never had a byte is complete at length 0', async () => {
    expect((await bench.fixture.store.complete(KEY, 0)).sha256 as string).toBe(sha256Of(bytesOf(0)));
  });

  test('a broken body keeps what arrived and tells its own error; the sender resumes', async () => {
    const bytes = bytesOf(3_000);
    await expect(append(0, brokenBody(bytes.subarray(0, 1_000), bytes.subarray(1_000, 1_500)))).rejects.toThrow(
      'the connection broke',
    );
    expect(await bench.fixture.store.uploadedBytes(KEY)).toBe(1_500);
    expect(await append(1_500, bodyOf(bytes.subarray(1_500)))).toBe(3_000);
    expect((await bench.fixture.store.complete(KEY, 3_000)).sha256 as string).toBe(sha256Of(bytes));
  });

  test('two appends at once never interleave: one is taken, the other meets the offset', async () => {
    const chunks = (seed: number): Uint8Array[] => Array.from({ length: 20 }, () => bytesOf(500, seed));
    const both = await Promise.allSettled([append(0, bodyOf(...chunks(1))), append(0, bodyOf(...chunks(2)))]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const { sha256 } = await bench.fixture.store.complete(KEY, 10_000);
    const wholes = [1, 2].map((seed) => sha256Of(Buffer.concat(chunks(seed))));
    expect(wholes).toContain(sha256);
  });

  test('an append whose sender has gone silent gives way to a later one, which goes on', async () => {
    const bytes = bytesOf(3_000);
    const silent = new ReadableStream<Uint8Array>({ start: (sender) => sender.enqueue(bytes.slice(0, 1_000)) });
    const earlier = append(0, silent, 3_000);
    await until(
      () => bench.fixture.store.uploadedBytes(KEY),
      (uploaded) => uploaded === 1_000,
    );
    const later = append(1_000, bodyOf(bytes.subarray(1_000)), 3_000);
    await expect(earlier).rejects.toMatchObject({ kind: 'displaced', uploadedBytes: 1_000 });
    expect(await later).toBe(3_000);
    expect((await bench.fixture.store.complete(KEY, 3_000)).sha256 as string).toBe(sha256Of(bytes));
  });

  test('a discarded upload is forgotten, and its key starts at 0', async () => {
    const { store } = bench.fixture;
    await append(0, bodyOf(bytesOf(100)));
    await store.discard(KEY);
    await store.discard(KEY);
    expect(await store.uploadedBytes(KEY)).toBe(0);
    await append(0, bodyOf(bytesOf(10, 9)));
    expect((await store.complete(KEY, 10)).sha256 as string).toBe(sha256Of(bytesOf(10, 9)));
  });
};

const refusals = (bench: Bench): void => {
  const append = appendTo(bench);

  test('a wrong offset is refused with what is there, and takes nothing', async () => {
    await append(0, bodyOf(bytesOf(100)));
    for (const offset of [0, 99, 101]) {
      expect(await faultOf(append(offset, bodyOf(bytesOf(7))))).toEqual({ kind: 'offset', uploadedBytes: 100 });
    }
    expect(await bench.fixture.store.uploadedBytes(KEY)).toBe(100);
  });

  test('bytes past the length are refused; what was told stays true', async () => {
    await append(0, bodyOf(bytesOf(60)), 100);
    const fault = await faultOf(append(60, bodyOf(bytesOf(41)), 100));
    expect(fault).toEqual({ kind: 'too-long', uploadedBytes: await bench.fixture.store.uploadedBytes(KEY) });
    expect(fault.uploadedBytes).toBeLessThanOrEqual(100);
    expect((await faultOf(append(fault.uploadedBytes, bodyOf(), 10))).kind).toBe('too-long');
  });

  test.each([
    ['offset', 5],
    ['too-long', 0],
  ] as const)('a body refused as %s is let go of', async (kind, offset) => {
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytesOf(1_000)),
      cancel: () => resolve(),
    });
    expect((await faultOf(append(offset, endless, 9_999))).kind).toBe(kind);
    await cancelled;
  });

  test('an upload is incomplete until it has its exact length', async () => {
    const { store } = bench.fixture;
    await append(0, bodyOf(bytesOf(100)));
    for (const length of [99, 101]) {
      expect(await faultOf(store.complete(KEY, length))).toEqual({ kind: 'incomplete', uploadedBytes: 100 });
    }
    expect((await store.complete(KEY, 100)).sizeBytes).toBe(100);
  });

  test.each(['', '../x', 'a/b', 'A', 'a.b', 'a\u0000', 'x'.repeat(201)])('the key %p is refused', async (key) => {
    const { store } = bench.fixture;
    await expect(store.uploadedBytes(key)).rejects.toThrow(TypeError);
    await expect(store.append(key, { offset: 0, lengthBytes: 9, body: bodyOf(bytesOf(1)) })).rejects.toThrow(TypeError);
    await expect(store.complete(key, 0)).rejects.toThrow(TypeError);
    await expect(store.discard(key)).rejects.toThrow(TypeError);
  });
};

const ages = (bench: Bench): void => {
  const put = async (bytes: Uint8Array): Promise<Sha256> =>
    (await bench.fixture.store.put(bodyOf(bytes), bytes.length)).sha256;

  test('a blob is older than a later moment alone, and goes only then', async () => {
    const { store, between } = bench.fixture;
    const old = await put(bytesOf(10, 1));
    const moment = await between();
    const young = await put(bytesOf(10, 2));
    expect(await collect(store.olderThan(moment))).toEqual([old]);
    expect(await store.removeIfOlder(young, moment)).toBe(false);
    expect(await store.removeIfOlder(old, moment)).toBe(true);
    expect(await store.removeIfOlder(old, moment)).toBe(false);
    expect([await store.size(old), await store.size(young)]).toEqual([null, 10]);
  });

  test('a blob put or completed again is young again', async () => {
    const { store, between } = bench.fixture;
    const [putAgain, completedAgain] = [await put(bytesOf(10, 1)), await put(bytesOf(10, 2))];
    const moment = await between();
    await put(bytesOf(10, 1));
    await store.append(KEY, { offset: 0, lengthBytes: 10, body: bodyOf(bytesOf(10, 2)) });
    await store.complete(KEY, 10);
    expect(await collect(store.olderThan(moment))).toEqual([]);
    expect(await store.removeIfOlder(putAgain, moment)).toBe(false);
    expect(await store.removeIfOlder(completedAgain, moment)).toBe(false);
  });

  test('the age of a blob counts from its completion, not from its last byte', async () => {
    const { store, between } = bench.fixture;
    await store.append(KEY, { offset: 0, lengthBytes: 10, body: bodyOf(bytesOf(10)) });
    const moment = await between();
    const { sha256 } = await store.complete(KEY, 10);
    expect(await store.removeIfOlder(sha256, moment)).toBe(false);
  });

  test('stale uploads go; one that grew since, and one that is growing, stay', async () => {
    const { store, between } = bench.fixture;
    const start = (key: string, body: ReadableStream<Uint8Array>, offset = 0): Promise<number> =>
      store.append(key, { offset, lengthBytes: 1_000, body });
    await start('stale', bodyOf(bytesOf(10)));
    await start('grew', bodyOf(bytesOf(10)));
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const growing = start('growing', readable);
    const writer = writable.getWriter();
    await writer.write(bytesOf(10));
    const moment = await between();
    await start('grew', bodyOf(bytesOf(10)), 10);
    expect(await store.discardStale(moment)).toBe(1);
    await writer.close();
    expect(await growing).toBe(10);
    expect(await Promise.all(['stale', 'grew', 'growing'].map(store.uploadedBytes))).toEqual([0, 20, 10]);
  });
};

/** Registers the suite; each test has a store of its own. */
export const blobStoreSuite = (name: string, makeStore: () => Promise<BlobStoreFixture>): void => {
  const bench: Partial<Bench> = {};
  const current: Bench = {
    get fixture() {
      if (bench.fixture === undefined) throw new Error('the store is made before each test');
      return bench.fixture;
    },
  };
  describe(name, () => {
    beforeEach(async () => {
      bench.fixture = await makeStore();
    });
    afterEach(() => current.fixture.dispose());
    describe('whole blobs', () => wholeBlobs(current));
    describe('reading', () => reading(current));
    describe('uploads', () => uploads(current));
    describe('refused uploads', () => refusals(current));
    describe('ages', () => ages(current));
  });
};
