import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { scriptJson } from './script-json.ts';

const streamed = (bytes: Uint8Array, cuts: readonly number[] = []): ReadableStream<Uint8Array> => {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return new ReadableStream({
    start: (controller) => {
      edges.slice(1).forEach((edge, index) => {
        controller.enqueue(bytes.subarray(edges[index], edge));
      });
      controller.close();
    },
  });
};

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const assembled = (stdout: ReadableStream<Uint8Array>, stderr: ReadableStream<Uint8Array>): Promise<string> =>
  new Response(scriptJson({ scriptName: 'a "b".ps1', exitCode: -3, stdout, stderr })).text();

const expected = (stdout: Uint8Array, stderr: Uint8Array): string =>
  JSON.stringify({
    script_name: 'a "b".ps1',
    exit_code: -3,
    script_output: new TextDecoder().decode(stdout),
    script_errors: new TextDecoder().decode(stderr),
  });

test('the keys stand in the documented order, compact, strings also when empty', async () => {
  expect(await assembled(streamed(utf8('out\n')), streamed(utf8('')))).toBe(
    '{"script_name":"a \\"b\\".ps1","exit_code":-3,"script_output":"out\\n","script_errors":""}',
  );
});

test('any bytes, cut anywhere, are what JSON.stringify makes of the decoded whole', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 }).map(utf8);
  const nasty = fc.constantFrom(
    0,
    8,
    0x1f,
    0x22,
    0x5c,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xc3,
    0xe2,
    0x80,
    0xa8,
    0xed,
    0xa0,
    0xf0,
    0x9f,
    0x98,
    0xf4,
    0xff,
    0xef,
    0xbb,
    0xbf,
  );
  const bytes = fc.oneof(
    text,
    fc.uint8Array({ maxLength: 200 }),
    fc.array(nasty, { maxLength: 40 }).map((a) => Uint8Array.from(a)),
  );
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(bytes, bytes, cuts, async (out, err, at) => {
      expect(await assembled(streamed(out, at), streamed(err, at))).toBe(expected(out, err));
    }),
    { numRuns: 1_500 },
  );
});

test('a large output with characters across every step is the same', async () => {
  const out = utf8(`x${'😀日本ü\u0000"'.repeat(30_000)}`);
  const answer = await assembled(streamed(out), streamed(out, [65_536, 65_537, 131_071]));
  expect(answer === expected(out, out)).toBe(true);
});

test('a byte order mark at the start is dropped, a later one kept', async () => {
  const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xef, 0xbb, 0xbf);
  expect(JSON.parse(await assembled(streamed(marked, [1, 2]), streamed(marked)))).toMatchObject({
    script_output: 'a\ufeff',
    script_errors: 'a\ufeff',
  });
});

test('an output that breaks breaks the answer', async () => {
  const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('disk gone')) });
  await expect(assembled(streamed(utf8('a')), broken)).rejects.toThrow('disk gone');
});

test('a download that stops lets go of both outputs', async () => {
  const cancelled = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [stdout, stderr] = cancelled.map(
    ({ resolve }) =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(utf8('more ')),
        cancel: () => resolve(),
      }),
  );
  if (stdout === undefined || stderr === undefined) throw new Error('two streams');
  const reader = scriptJson({ scriptName: 'a', exitCode: 0, stdout, stderr }).getReader();
  for (let reads = 0; reads < 5; reads += 1) await reader.read();
  await reader.cancel();
  await Promise.all(cancelled.map(({ promise }) => promise));
});
