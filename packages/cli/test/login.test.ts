import { afterEach, expect, test } from 'bun:test';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeLoopbackCertificate } from '@longarm/testkit/loopback-certificate';
import { pageAnswer } from '@longarm/testkit/rest-fixture';
import { openSession, type Session, type SessionOptions } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
const open = async (options: SessionOptions = {}): Promise<Session> => {
  const session = await openSession({ routes: { 'GET /api/machines': () => pageAnswer('Machines', []) }, ...options });
  sessions.push(session);
  return session;
};

const profileOf = (session: Session) => join(session.folder, 'config', 'longarm', 'profile.json');
const login = (session: Session, ...more: string[]) =>
  session.bare('login', '--server', session.fixture.url, '--client-id', 'app', ...more);

test('signing in saves a private profile that later commands use', async () => {
  const session = await open();
  const signedIn = await login(session, '--secret-file', join(session.folder, 'secret'));
  expect(signedIn).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(await readFile(profileOf(session), 'utf8'))).toEqual({
    server: session.fixture.url,
    tenant: 'default',
    clientId: 'app',
    secret: 'correct horse',
    caPem: null,
  });
  expect((await stat(profileOf(session))).mode & 0o777).toBe(0o600);
  expect((await stat(join(profileOf(session), '..'))).mode & 0o777).toBe(0o700);
  expect(await session.bare('machines')).toMatchObject({ code: 0, out: 'No machines were found.\n' });
});

test('semantics 33: a secret comes by file, standard input or prompt, and never shows', async () => {
  const piped = await open({ io: { stdin: async () => 'correct horse\n' } });
  const fromStdin = await login(piped, '--secret-stdin', '--json');
  expect(fromStdin.code).toBe(0);
  expect(JSON.parse(fromStdin.out)).toMatchObject({ clientId: 'app', profile: profileOf(piped) });
  expect(fromStdin.out).not.toContain('correct horse');
  const asked = await open({ io: { isTty: true, promptSecret: async () => 'correct horse' } });
  expect((await login(asked)).code).toBe(0);
  const nobody = await open();
  expect(await login(nobody)).toMatchObject({ code: 2, err: expect.stringContaining('--secret-stdin') });
});

test('a secret that would leave the machine in clear is warned of', async () => {
  const session = await open({ io: { transport: () => Promise.reject(new TypeError('no network in this test')) } });
  const exposed = ['login', '--server', 'http://lr.example', '--client-id', 'app'];
  const { err } = await session.bare(...exposed, '--secret-file', join(session.folder, 'secret'));
  expect(err).toContain('without TLS');
  const local = await login(session, '--secret-file', join(session.folder, 'secret'));
  expect(local.err).not.toContain('without TLS');
});

test('credentials that do not work save nothing', async () => {
  const session = await open({ fixture: { clientSecret: 'another' } });
  const refused = await login(session, '--secret-file', join(session.folder, 'secret'));
  expect(refused).toMatchObject({ code: 3, out: '', err: expect.stringContaining('invalid_client') });
  expect(await Bun.file(profileOf(session)).exists()).toBe(false);
});

test('semantics 34: a CA is pinned by its fingerprint, or given as a file', async () => {
  const certificate = await makeLoopbackCertificate(Date.now());
  const routes = {
    'GET /agent/v1/ca.pem': () => new Response(certificate.caPem),
    'GET /api/machines': () => pageAnswer('Machines', []),
  };
  const session = await open({ fixture: { tls: certificate }, routes });
  const secret = ['--secret-file', join(session.folder, 'secret')];
  expect(await login(session, ...secret)).toMatchObject({ code: 4, err: expect.stringContaining('--ca-sha256') });
  const wrong = await login(session, ...secret, '--ca-sha256', '0'.repeat(64));
  expect(wrong).toMatchObject({ code: 4, err: expect.stringContaining(certificate.caSha256) });
  expect(session.fixture.requests.filter((line) => line.includes('token'))).toEqual([]);
  expect((await login(session, ...secret, '--ca-sha256', certificate.caSha256)).code).toBe(0);
  expect((await session.bare('machines')).code).toBe(0);
  const caPath = join(session.folder, 'ca.pem');
  await writeFile(caPath, certificate.caPem);
  expect((await login(session, ...secret, '--ca', caPath)).code).toBe(0);
  await writeFile(caPath, 'not a certificate');
  expect(await login(session, ...secret, '--ca', caPath)).toMatchObject({
    code: 7,
    err: expect.stringContaining('PEM'),
  });
});

test('a profile that others may read, or that is broken, is not used', async () => {
  const session = await open();
  await login(session, '--secret-file', join(session.folder, 'secret'));
  await chmod(profileOf(session), 0o644);
  expect(await session.bare('machines')).toMatchObject({ code: 7, err: expect.stringContaining('chmod 600') });
  await chmod(profileOf(session), 0o600);
  await writeFile(profileOf(session), '{');
  expect(await session.bare('machines')).toMatchObject({ code: 7, err: expect.stringContaining('longarm login') });
});

test('the environment tells a server too, and an option wins over it', async () => {
  const probe = await open();
  const env = {
    LONGARM_SERVER: probe.fixture.url,
    LONGARM_CLIENT_ID: 'app',
    LONGARM_CLIENT_SECRET_FILE: join(probe.folder, 'secret'),
    LONGARM_TENANT: 'nobody',
  };
  const session = await open({ io: { env } });
  expect((await session.bare('machines')).code).toBe(3);
  expect((await session.bare('machines', '--tenant', 'default')).code).toBe(0);
});
