import { expect, test } from 'bun:test';
import { Sha256 } from '@longarm/contract/ids';
import { INLINE_FILE_BYTES } from '@longarm/contract/limits';
import { smallFiles } from './small-files.ts';

/** Blobs by their hash; how often each was read. */
const blobsOf = (contents: readonly string[]) => {
  const known = new Map(contents.map((content) => [hashOf(content), content]));
  const reads: Sha256[] = [];
  return {
    reads,
    read: (sha256: Sha256): ReadableStream<Uint8Array> => {
      reads.push(sha256);
      const content = known.get(sha256);
      if (content === undefined) throw new Error('not here');
      return new Blob([content]).stream();
    },
  };
};
const hashOf = (content: string): Sha256 => Sha256.parse(new Bun.CryptoHasher('sha256').update(content).digest('hex'));
const file = (content: string) => ({ sha256: hashOf(content), sizeBytes: content.length });
/** Lets what was begun come to its end, however many turns it takes. */
const turns = async (isDone: () => boolean) => {
  for (let turn = 0; turn < 1_000 && !isDone(); turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('a file that is not in memory yet is not waited for; it is there the next time, read once', async () => {
  const blobs = blobsOf(['echo hi']);
  const files = smallFiles(blobs);
  const find = () => files.find(file('echo hi'));
  expect([find(), find()]).toEqual([null, null]);
  await turns(() => find() !== null);
  expect(find()).toBe(Buffer.from('echo hi').toString('base64'));
  expect(blobs.reads).toHaveLength(1);
});

test('one that is longer than the bound is never read', () => {
  const blobs = blobsOf([]);
  const long = { sha256: hashOf('long'), sizeBytes: INLINE_FILE_BYTES + 1 };
  expect(smallFiles(blobs).find(long)).toBeNull();
  expect(blobs.reads).toEqual([]);
});

test('one that cannot be read is tried again', async () => {
  const blobs = blobsOf([]);
  const files = smallFiles(blobs);
  expect(files.find(file('gone'))).toBeNull();
  await turns(() => {
    files.find(file('gone'));
    return blobs.reads.length > 1;
  });
  expect(blobs.reads.length).toBeGreaterThan(1);
});

test('so many are kept, those asked for last', async () => {
  const contents = Array.from({ length: 70 }, (_, place) => `echo ${place}`);
  const blobs = blobsOf(contents);
  const files = smallFiles(blobs);
  for (const content of contents) {
    files.find(file(content));
    await turns(() => files.find(file(content)) !== null);
  }
  expect(blobs.reads).toHaveLength(70);
  expect(files.find(file('echo 69'))).not.toBeNull();
  expect(files.find(file('echo 0'))).toBeNull();
});
