import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnrolRequest } from '@longarm/contract/wire/enrolment';
import { enrolProofText } from '@longarm/contract/wire/protocol';
import { makeLoopbackCertificate } from '../../../testkit/src/loopback-certificate.ts';
import { AUDIENCE, startLoopbackServer } from '../../test/loopback-server.ts';
import { TENANT } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { stateFolder } from '../commands/state-folder.ts';
import { thisPlatform } from '../platform/this-platform.ts';
import { establishIdentity, SetupFault } from './establish-identity.ts';
import { serverRequest } from './server-request.ts';

const platform = thisPlatform(process.platform);
const certificate = await makeLoopbackCertificate(Date.now());
const otherCertificate = await makeLoopbackCertificate(Date.now());

let folder: ReturnType<typeof temporaryFolder>;
let pauses: number[];
beforeEach(() => {
  pauses = [];
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

const identityFile = () => join(folder.path, 'identity.json');
const keyFile = () => join(folder.path, 'key.pem');

const establish = (wanted: { readonly serverUrl?: string; readonly token?: string }) =>
  establishIdentity(
    { fetch, platform, pause: async (delayMs) => void pauses.push(delayMs) },
    {
      serverUrl: wanted.serverUrl ?? null,
      token: wanted.token ?? null,
      insecure: false,
      stateFolder: folder.path,
      keyFiles: stateFolder(folder.path),
      keyDays: null,
      localNow: Date.now,
      identityFile: identityFile(),
    },
  );

test('a server that enrols too many at once is asked again when it says', async () => {
  await using server = startLoopbackServer();
  let asked = 0;
  server.settings.intercept = async (_, path) => {
    if (!path.endsWith('/enrol')) return null;
    asked++;
    return asked <= 2
      ? new Response('{}', { status: 429, headers: { 'Retry-After': asked === 1 ? '7' : '9999' } })
      : null;
  };
  const { isNew } = await establish({ serverUrl: server.url, token: server.token });
  expect([isNew, asked, pauses]).toEqual([true, 3, [7_000, 300_000]]);
});

/** Notes the bodies of enrolments on their way. */
const noted = (server: ReturnType<typeof startLoopbackServer>) => {
  const bodies: EnrolRequest[] = [];
  server.settings.intercept = async (request, path) => {
    if (path.endsWith('/enrol')) bodies.push(EnrolRequest.parse(await request.clone().json()));
    // the door reads the body again from what was cloned
    return null;
  };
  return bodies;
};

test('a device enrols with a token, proves its key, and is known from then on', async () => {
  await using server = startLoopbackServer();
  const bodies = noted(server);
  const { identity, keys, isNew } = await establish({ serverUrl: server.url, token: server.token });
  expect(isNew).toBe(true);
  expect(identity).toMatchObject({ serverUrl: server.url, tenantId: TENANT, audience: AUDIENCE, caPem: null });
  const [body] = bodies;
  if (body === undefined) throw new Error('expected a request');
  const raw = Buffer.from(body.publicKey, 'base64url');
  expect<string>(identity.machineId).toBe(createHash('sha256').update(raw).digest('hex').slice(0, 40));
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: body.publicKey }, format: 'jwk' });
  const text = enrolProofText({ tokenId: 'tokenid1', publicKey: body.publicKey, hardwareId: body.hardwareId });
  expect(verify(null, Buffer.from(text), key, Buffer.from(body.proof, 'base64url'))).toBe(true);
  expect(verify(null, Buffer.from('a text'), key, Buffer.from(keys.sign('a text'), 'base64url'))).toBe(true);
  const again = await establish({});
  expect({ identity: again.identity, isNew: again.isNew }).toEqual({ identity, isNew: false });
  expect(bodies).toHaveLength(1);
});

test('key and identity are for their owner alone', async () => {
  await using server = startLoopbackServer();
  await establish({ serverUrl: server.url, token: server.token });
  for (const path of [keyFile(), identityFile()]) expect(statSync(path).mode & 0o077).toBe(0);
});

test('an enrolment whose answer was lost is repeated with the same key', async () => {
  await using server = startLoopbackServer();
  const keysSeen: string[] = [];
  server.settings.intercept = async (request) => {
    keysSeen.push(EnrolRequest.parse(await request.clone().json()).publicKey);
    return keysSeen.length === 1 ? new Response('', { status: 502 }) : null;
  };
  await expect(establish({ serverUrl: server.url, token: server.token })).rejects.toThrow('502');
  expect(existsSync(identityFile())).toBe(false);
  await establish({ serverUrl: server.url, token: server.token });
  expect(keysSeen[1]).toBe(keysSeen[0] ?? '');
});

test('another address replaces the stored one, and nothing else', async () => {
  await using server = startLoopbackServer();
  const { identity } = await establish({ serverUrl: server.url, token: server.token });
  const moved = await establish({ serverUrl: 'https://moved.example/' });
  expect(moved.identity).toEqual({ ...identity, serverUrl: 'https://moved.example' });
  expect((await establish({})).identity.serverUrl).toBe('https://moved.example');
});

describe('TLS of the server’s own making', () => {
  test('is trusted when its fingerprint is the token’s, for that authority alone', async () => {
    await using server = startLoopbackServer(certificate);
    const { identity } = await establish({ serverUrl: server.url, token: server.token });
    expect(identity.caPem).toBe(certificate.caPem);
    const answer = await serverRequest(fetch, { ...identity, caPem: () => identity.caPem })('/agent/v1/ca.pem');
    expect(answer.status).toBe(200);
  });

  test('is refused when it is another, before anything is sent', async () => {
    await using server = startLoopbackServer(certificate);
    const bodies = noted(server);
    const token = server.token.replace(certificate.caSha256, otherCertificate.caSha256);
    await expect(establish({ serverUrl: server.url, token })).rejects.toThrow('Somebody may stand between');
    expect(bodies).toEqual([]);
  });

  test('of what is fetched only the authorities that the token names are believed, wherever they stand', async () => {
    const extra = await makeLoopbackCertificate(Date.now());
    const both = { ...certificate, caPem: `${extra.caPem}${otherCertificate.caPem}${certificate.caPem}` };
    await using server = startLoopbackServer(both);
    const token = `${server.token}.${otherCertificate.caSha256}`;
    const { identity } = await establish({ serverUrl: server.url, token });
    expect(identity.caPem).toBe(`${certificate.caPem}${otherCertificate.caPem}`);
  });

  test('who stands between and sends an authority of its own behind the right one is not believed', async () => {
    const impostor = { ...otherCertificate, caPem: `${certificate.caPem}${otherCertificate.caPem}` };
    await using server = startLoopbackServer({ ...impostor, caSha256: certificate.caSha256 });
    const bodies = noted(server);
    await expect(establish({ serverUrl: server.url, token: server.token })).rejects.toThrow();
    expect(bodies).toEqual([]);
    expect(existsSync(identityFile())).toBe(false);
  });

  test('a right authority in front of another server’s certificate is refused', async () => {
    const impostor = { ...otherCertificate, caPem: certificate.caPem, caSha256: certificate.caSha256 };
    await using server = startLoopbackServer(impostor);
    const bodies = noted(server);
    await expect(establish({ serverUrl: server.url, token: server.token })).rejects.toThrow();
    expect(bodies).toEqual([]);
  });

  test('an address that has no authority to show says so', async () => {
    await using server = startLoopbackServer({ ...certificate, caPem: 'welcome to the hotel' });
    await expect(establish({ serverUrl: server.url, token: server.token })).rejects.toThrow('without a certificate');
  });
});

describe('what does not suffice is said', () => {
  test('no token', async () => {
    const ending = establish({ serverUrl: 'https://a.example' });
    await expect(ending).rejects.toThrow('got no token');
    await expect(ending).rejects.toBeInstanceOf(SetupFault);
  });
  test('no server', async () => {
    await expect(establish({ token: 'x' })).rejects.toThrow('got no server');
  });
  test('no token of ours', async () => {
    await expect(establish({ serverUrl: 'https://a.example', token: 'x' })).rejects.toThrow('longarm1.');
  });
  test('a refused token, with what the server says', async () => {
    await using server = startLoopbackServer();
    server.settings.intercept = () =>
      Response.json({ error: { code: 'Unauthorized', message: 'It was used up.' } }, { status: 401 });
    await expect(establish({ serverUrl: server.url, token: server.token })).rejects.toThrow('It was used up.');
  });
  test('a damaged identity', async () => {
    writeFileSync(identityFile(), '{');
    await expect(establish({})).rejects.toThrow('identity.json: expected what an enrolment wrote');
  });
  test('a key that is another machine’s', async () => {
    await using server = startLoopbackServer();
    await establish({ serverUrl: server.url, token: server.token });
    const key = readFileSync(keyFile());
    writeFileSync(keyFile(), 'no key');
    await expect(establish({})).rejects.toThrow('expected an Ed25519 key');
    writeFileSync(keyFile(), key);
    const identity = JSON.parse(readFileSync(identityFile(), 'utf8'));
    writeFileSync(identityFile(), JSON.stringify({ ...identity, machineId: 'ab'.repeat(20) }));
    await expect(establish({})).rejects.toThrow('expected the key of machine');
  });
});
