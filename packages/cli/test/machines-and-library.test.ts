import { afterEach, expect, test } from 'bun:test';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiError, entityAnswer, type FixtureRoutes, pageAnswer } from '@longarm/testkit/rest-fixture';
import { SAMPLE_MACHINE_ID, sampleLibraryFile, sampleMachine } from '@longarm/testkit/sample-entities';
import type { Io } from '../src/world/io.ts';
import { openSession, type Session } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
const open = async (routes: FixtureRoutes, io: Partial<Io> = {}): Promise<Session> => {
  const session = await openSession({ routes, io });
  sessions.push(session);
  return session;
};

const machines = [
  sampleMachine(),
  sampleMachine({ computerDnsName: 'a\u202egnp.exe', isOnline: false, machineTags: ['lab', '\u001b[2J'] }),
];

test('machines are a table for people, with nothing in it that a terminal obeys', async () => {
  const session = await open({ 'GET /api/machines': () => pageAnswer('Machines', machines) });
  const { out, code } = await session.run('machines');
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    'NAME               STATE   SEEN      OS        ADDRESS   TAGS         ID',
    `host1.lab.example  online  now       Linux 12  10.0.0.5  lab          ${SAMPLE_MACHINE_ID}`,
    `a\\u{202e}gnp.exe   away    30 s ago  Linux 12  10.0.0.5  lab \\x1b[2J  ${SAMPLE_MACHINE_ID}`,
    '',
  ]);
});

test('machines are one JSON document for programs', async () => {
  const session = await open({ 'GET /api/machines': () => pageAnswer('Machines', machines) });
  const { out } = await session.run('machines', '--json');
  expect(out.trimEnd()).not.toContain('\n');
  expect(JSON.parse(out).map((machine: { isOnline: boolean }) => machine.isOnline)).toEqual([true, false]);
});

test('a search and its options become one filter', async () => {
  const session = await open({ 'GET /api/machines': () => pageAnswer('Machines', []) });
  await session.run('machines', "o'brien", '--online', '--tag', 'lab', '--filter', 'version eq 1', '--top', '5');
  const query = new URL(session.fixture.requests.at(-1)?.replace('GET ', 'http://x') ?? '').searchParams;
  expect(query.get('$filter')).toBe(
    "(contains(computerDnsName,'o''brien') or lastIpAddress eq 'o''brien' or machineTags/any(t: t eq 'o''brien'))" +
      " and (version eq 1) and (machineTags/any(t: t eq 'lab')) and (isOnline eq true)",
  );
  expect(query.get('$top')).toBe('5');
});

test('a table fits the terminal', async () => {
  const session = await open(
    { 'GET /api/machines': () => pageAnswer('Machines', machines) },
    { columns: 60, isTty: true },
  );
  const { out } = await session.run('machines');
  for (const line of out.split('\n')) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(60);
  expect(out).toContain('…');
});

test('one machine is shown, and tags are added and removed', async () => {
  const bodies: unknown[] = [];
  const session = await open({
    'GET /api/machines/host1': () => entityAnswer('Machines', sampleMachine()),
    'POST /api/machines/host1/tags': (_, body) => {
      bodies.push(JSON.parse(new TextDecoder().decode(body)));
      return entityAnswer('Machines', sampleMachine({ machineTags: ['x'] }));
    },
  });
  expect((await session.run('machines', 'get', 'host1')).out).toContain(`id          ${SAMPLE_MACHINE_ID}\n`);
  expect((await session.run('machines', 'tag', 'host1', 'add', 'x')).out).toContain('has the tags: x.');
  await session.run('machines', 'tag', 'host1', 'remove', 'y');
  expect(bodies).toEqual([
    { Value: 'x', Action: 'Add' },
    { Value: 'y', Action: 'Remove' },
  ]);
  expect((await session.run('machines', 'tag', 'host1', 'set', 'y')).code).toBe(2);
});

test('a file is uploaded under its own name or another', async () => {
  const forms: (readonly [string, string | File])[][] = [];
  const session = await open({
    'POST /api/libraryfiles': async (request, body) => {
      const headers = { 'content-type': request.headers.get('content-type') ?? '' };
      const form = await new Response(body, { headers }).formData();
      forms.push([...form]);
      return entityAnswer('LibraryFiles', sampleLibraryFile());
    },
  });
  const path = join(session.folder, 'my tool.sh');
  await writeFile(path, '#!/bin/sh\n');
  const uploaded = await session.run('library', 'upload', path, '--description', 'd', '--override');
  expect(uploaded).toMatchObject({ code: 0, out: expect.stringContaining('Uploaded triage.sh, 1.2 KiB') });
  await session.run('library', 'upload', path, '--name', 'other.sh');
  await session.run('library', 'upload', path, '--approval');
  await session.run('library', 'upload', path, '--no-approval');
  const names = forms.map((form) => form.map(([key, value]) => `${key}=${value instanceof File ? value.name : value}`));
  expect(names).toEqual([
    ['OverrideIfExists=true', 'Description=d', 'file=my tool.sh'],
    ['OverrideIfExists=false', 'file=other.sh'],
    ['OverrideIfExists=false', 'RequiresApproval=true', 'file=my tool.sh'],
    ['OverrideIfExists=false', 'RequiresApproval=false', 'file=my tool.sh'],
  ]);
});

test('what is no file, or is refused, is told', async () => {
  const session = await open({
    'POST /api/libraryfiles': () => apiError(400, 'BadRequest', 'The file triage.sh already exists.'),
  });
  expect(await session.run('library', 'upload', session.folder)).toMatchObject({ code: 7 });
  expect(await session.run('library', 'upload', join(session.folder, 'none'))).toMatchObject({
    code: 7,
    err: expect.stringContaining('ENOENT'),
  });
  expect(await session.run('library', 'upload', join(session.folder, 'secret'))).toMatchObject({
    code: 3,
    err: expect.stringContaining('already exists'),
  });
});

const CONTENT = '#!/bin/sh\necho hi\n';
const SHA256 = new Bun.CryptoHasher('sha256').update(CONTENT).digest('hex');

test('a library file is downloaded, checked, and never over something that is there', async () => {
  let content = CONTENT;
  const session = await open({
    'GET /api/libraryfiles': () => pageAnswer('LibraryFiles', [sampleLibraryFile({ sha256: SHA256 })]),
    'GET /api/libraryfiles/triage.sh/content': () => new Response(content),
  });
  const out = join(session.folder, 'out.sh');
  const saved = await session.run('library', 'download', 'triage.sh', '--out', out, '--json');
  expect(JSON.parse(saved.out)).toEqual({ path: out, sizeBytes: CONTENT.length, sha256: SHA256 });
  expect(await readFile(out, 'utf8')).toBe(CONTENT);
  expect((await session.run('library', 'download', 'triage.sh', '--out', out)).code).toBe(7);
  content = 'tampered';
  const other = join(session.folder, 'other.sh');
  const tampered = await session.run('library', 'download', 'triage.sh', '--out', other);
  expect(tampered).toMatchObject({ code: 7, err: expect.stringContaining(SHA256) });
  expect((await readdir(session.folder)).sort()).toEqual(['out.sh', 'secret']);
});

test('the library is listed, and a file is deleted', async () => {
  const session = await open({
    'GET /api/libraryfiles': () => pageAnswer('LibraryFiles', [sampleLibraryFile()]),
    'DELETE /api/libraryfiles/triage.sh': () => new Response(null, { status: 204 }),
  });
  expect((await session.run('library')).out).toContain('triage.sh  1.2 KiB  30 min ago  triage-bot  -days N');
  expect(await session.run('library', 'delete', 'triage.sh', '--json')).toMatchObject({
    code: 0,
    out: '{"deleted":true}\n',
  });
});
