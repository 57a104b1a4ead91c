import { afterEach, expect, test } from 'bun:test';
import { createManualWorld } from '@longarm/testkit/manual-world';
import { entityAnswer, type FixtureRoutes, type RestFixture, startRestFixture } from '@longarm/testkit/rest-fixture';
import { sampleLibraryFile } from '@longarm/testkit/sample-entities';
import { createClient } from './create-client.ts';
import type { LibraryUpload } from './library-calls.ts';

const fixtures: RestFixture[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.stop();
});

const serve = (routes: FixtureRoutes) => {
  const fixture = startRestFixture(routes);
  fixtures.push(fixture);
  const credentials = { tenant: 'default', clientId: 'app', clientSecret: 'correct horse' };
  const client = createClient({ server: fixture.url, credentials, transport: fetch, world: createManualWorld() });
  return { client, fixture };
};

const CONTENT = new Uint8Array(300_000).map((_, at) => at % 251);

const upload = (more: Partial<LibraryUpload> = {}): LibraryUpload => ({
  fileName: 'tool.bin',
  sizeBytes: CONTENT.length,
  openFile: () => new Blob([CONTENT]).stream(),
  ...more,
});

type Seen = { readonly length: string | null; readonly fields: Record<string, unknown>; readonly file: unknown };

/** Reads a form as any server would, and tells what it found. */
const readingForm = () => {
  const seen: Seen[] = [];
  const route: FixtureRoutes[string] = async (request, body) => {
    const headers = { 'content-type': request.headers.get('content-type') ?? '' };
    const form = await new Response(body, { headers }).formData();
    const file = form.get('file');
    const texts = [...form].filter(([name]) => name !== 'file');
    const bytes = file instanceof Blob ? await file.bytes() : new Uint8Array();
    const name = file instanceof File ? file.name : null;
    seen.push({
      length: request.headers.get('content-length'),
      fields: Object.fromEntries(texts),
      file: { name, intact: Buffer.from(bytes).equals(CONTENT) },
    });
    return entityAnswer('LibraryFiles', sampleLibraryFile({ fileName: name ?? '' }));
  };
  return { seen, route };
};

test('a file is streamed as one form with its length told before', async () => {
  const { seen, route } = readingForm();
  const { client } = serve({ 'POST /api/libraryfiles': route });
  const file = await client.uploadLibraryFile(
    upload({ description: 'grüße', parametersDescription: '-d N', override: true }),
  );
  expect(file.fileName).toBe('tool.bin');
  expect(seen).toEqual([
    {
      length: expect.stringMatching(/^300\d{3}$/),
      fields: { OverrideIfExists: 'true', Description: 'grüße', HasParameters: 'true', ParametersDescription: '-d N' },
      file: { name: 'tool.bin', intact: true },
    },
  ]);
});

test('an upload whose token was refused is sent again from the start of the file', async () => {
  const { seen, route } = readingForm();
  const { client, fixture } = serve({ 'POST /api/libraryfiles': route });
  await client.signIn();
  fixture.revokeTokens();
  await client.uploadLibraryFile(upload());
  expect(seen.map((one) => one.file)).toEqual([{ name: 'tool.bin', intact: true }]);
});

test('a file name cannot add parts or headers to the form', async () => {
  const { seen, route } = readingForm();
  const { client } = serve({ 'POST /api/libraryfiles': route });
  await client.uploadLibraryFile(upload({ fileName: 'a"\r\nX: y.bin' }));
  expect(seen[0]?.file).toMatchObject({ name: 'a%22%0D%0AX: y.bin', intact: true });
});

test('a library file is downloaded whole and deleted by its encoded name', async () => {
  const { client, fixture } = serve({
    'GET /api/libraryfiles/my%20tool.sh/content': () => new Response('#!/bin/sh\n'),
    'DELETE /api/libraryfiles/my%20tool.sh': () => new Response(null, { status: 204 }),
  });
  let text = '';
  for await (const chunk of client.openLibraryFile('my tool.sh')) text += new TextDecoder().decode(chunk);
  expect(text).toBe('#!/bin/sh\n');
  await client.deleteLibraryFile('my tool.sh');
  expect(fixture.requests.at(-1)).toBe('DELETE /api/libraryfiles/my%20tool.sh');
});
