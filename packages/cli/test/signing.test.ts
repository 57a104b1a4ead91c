import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAuthorKeyLine } from '@longarm/contract/signing/author-key-line';
import { claimedBySignature, compactParts } from '@longarm/contract/signing/author-signature';
import { entityAnswer } from '@longarm/testkit/rest-fixture';
import { openSession, type Session } from './session.ts';

// scrypt is slow on purpose, on machines that may be busy with other tests
setDefaultTimeout(60_000);

let session: Session;
let uploads: string[];
const at = (name: string) => join(session.folder, name);
const LIBRARY_FILE = {
  fileName: 'triage.sh',
  sha256: 'ab'.repeat(32),
  description: null,
  creationTime: '2026-11-24T00:00:00.0000000Z',
  lastUpdatedTime: '2026-11-24T00:00:00.0000000Z',
  createdBy: 'x',
  hasParameters: false,
  parametersDescription: null,
  sizeBytes: 7,
};

beforeEach(async () => {
  uploads = [];
  session = await openSession({
    routes: {
      'POST /api/libraryfiles': (_request, body) => {
        uploads.push(new TextDecoder().decode(body));
        return entityAnswer('LibraryFiles', LIBRARY_FILE);
      },
    },
  });
  await writeFile(at('triage.sh'), 'echo hi');
});
afterEach(() => session.close());

const makeKey = async (...more: string[]) => {
  const made = await session.bare('author-key', 'create', '--out', at('k'), '--name', 'Ann A.', '--json', ...more);
  expect(made).toMatchObject({ code: 0, err: '' });
  return JSON.parse(made.out) as { readonly public: string; readonly isSealed: boolean };
};
const sign = (...more: string[]) => session.bare('library', 'sign', at('triage.sh'), '--key', at('k'), ...more);
const signature = async () => (await readFile(at('triage.sh.sig'), 'utf8')).trim();

const isBy = (compact: string, publicLine: string): boolean => {
  const { header = '', body = '', signature: bytes = '' } = compactParts(compact) ?? {};
  const x = readAuthorKeyLine(publicLine)?.publicKey ?? '';
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, Buffer.from(`${header}.${body}`), key, Buffer.from(bytes, 'base64url'));
};

test('a key is made for its owner alone, shown as a line, and never overwritten', async () => {
  const { public: line, isSealed } = await makeKey();
  expect(readAuthorKeyLine(line)?.name).toBe('Ann A.');
  expect(isSealed).toBe(false);
  expect((await stat(at('k'))).mode & 0o777).toBe(0o600);
  const before = await readFile(at('k'), 'utf8');
  expect(await session.bare('author-key', 'create', '--out', at('k'), '--name', 'B')).toMatchObject({
    code: 7,
    err: expect.stringContaining('Expected no file'),
  });
  expect(await readFile(at('k'), 'utf8')).toBe(before);
});

test('a signature says what was allowed, about the bytes as they are', async () => {
  const { public: line } = await makeKey();
  const id = 'ab'.repeat(20);
  expect(
    await sign(
      '--args',
      '-days <int:1..30>',
      '--args',
      '-x',
      '--machine',
      id,
      '--tag',
      'lab',
      '--group',
      'g',
      '--expires',
      '2999-01-01',
    ),
  ).toMatchObject({ code: 0, out: expect.stringContaining('"-days" <int:1..30>, or "-x"') });
  expect(isBy(await signature(), line)).toBe(true);
  expect(claimedBySignature(await signature())).toMatchObject({
    fileName: 'triage.sh',
    sha256: createHash('sha256').update('echo hi').digest('hex') as never,
    sizeBytes: 7,
    uses: ['RunScript'],
    machines: { ids: [id] as never, tags: ['lab'], groups: ['g'] },
    notBefore: 0,
    expiresAt: Date.parse('2999-01-01'),
  });
  await sign(
    '--no-args',
    '--any-machine',
    '--use',
    'RunScript',
    'PutFile',
    '--name',
    'b.sh',
    '--not-before',
    '2026-01-01',
  );
  expect(claimedBySignature(await signature())).toMatchObject({
    fileName: 'b.sh',
    uses: ['RunScript', 'PutFile'],
    arguments: [[]],
    machines: 'any',
    notBefore: Date.parse('2026-01-01'),
    expiresAt: null,
  });
});

test('what is left open is asked for: nothing is allowed by silence', async () => {
  await makeKey();
  const cases: [string[], string][] = [
    [['--any-machine'], 'what may the script be given'],
    [['--no-args'], 'where may it be used'],
    [['--no-args', '--any-machine', '--tag', 'x'], 'where may it be used'],
    [['--any-args', '--args', 'x', '--any-machine'], '--any-args alone'],
    [['--no-args', '--machine', 'host1'], 'a machine id of 40 hex digits'],
    [['--no-args', '--tag', '*'], 'Expected a tag'],
    [['--no-args', '--any-machine', '--expires', '2020-01-01'], 'a moment to come'],
    [['--no-args', '--any-machine', '--expires', 'soon'], 'expected a date'],
    [['--args', '"<regex:.*>"', '--any-machine'], 'Expected an exact argument'],
  ];
  for (const [flags, sentence] of cases) {
    const ended = await sign(...flags);
    expect([ended.code === 0, ended.err]).toEqual([false, expect.stringContaining(sentence)]);
  }
  expect(await stat(at('triage.sh.sig')).catch(() => null)).toBeNull();
  expect(await sign('--use', 'PutFile', '--any-machine')).toMatchObject({ code: 0 });
});

test('a sealed key opens with its passphrase alone', async () => {
  await writeFile(at('pass'), 'sésame\n');
  await writeFile(at('wrong'), 'sesame\n');
  const { public: line, isSealed } = await makeKey('--passphrase-file', at('pass'));
  expect(isSealed).toBe(true);
  const flags = ['--no-args', '--any-machine'];
  expect(await sign(...flags)).toMatchObject({ code: 2, err: expect.stringContaining('Expected the passphrase') });
  expect(await sign(...flags, '--passphrase-file', at('wrong'))).toMatchObject({
    code: 7,
    err: expect.stringContaining('does not open'),
  });
  expect(await sign(...flags, '--passphrase-file', at('pass'))).toMatchObject({ code: 0 });
  expect(isBy(await signature(), line)).toBe(true);
  // its name is sealed with it: nobody passes a key off as another's
  await writeFile(at('k'), (await readFile(at('k'), 'utf8')).replace('Ann A.', 'Bob B.'));
  expect(await sign(...flags, '--passphrase-file', at('pass'))).toMatchObject({ code: 7 });
});

test('an upload takes signatures from files, or signs at once', async () => {
  const { public: line } = await makeKey();
  await sign('--no-args', '--any-machine');
  const made = await signature();
  await session.run('library', 'upload', at('triage.sh'), '--signature', at('triage.sh.sig'));
  expect(uploads.pop()).toContain(`name="Signature"\r\n\r\n${made}\r\n`);
  await session.run('library', 'upload', at('triage.sh'), '--key', at('k'), '--any-args', '--any-machine');
  const [, sent = ''] = /name="Signature"\r\n\r\n(.*)\r\n/.exec(uploads.pop() ?? '') ?? [];
  expect(isBy(sent, line)).toBe(true);
  await session.run('library', 'upload', at('triage.sh'));
  expect(uploads.pop()).not.toContain('Signature');
  expect(await session.run('library', 'upload', at('triage.sh'), '--no-args')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Expected --key'),
  });
  expect(uploads).toEqual([]);
});
