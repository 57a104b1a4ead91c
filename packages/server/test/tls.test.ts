/** A certificate that somebody else keeps: watched, handed over to, refused when it is no good; and TLS by a proxy. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type PeerCertificate } from 'node:tls';
import type { AdminDoor } from '@longarm/contract/admin/operations';
import { readConfig } from '@longarm/server/config';
import { openAdmin } from '@longarm/server/open-admin';
import { type RunningServer, startServer, systemWorld } from '@longarm/server/start';
import { openLog } from '@longarm/server/telemetry/log';
import { apiCaller } from '@longarm/testkit/api-caller';
import { type LoopbackCertificate, makeLoopbackCertificate } from '@longarm/testkit/loopback-certificate';
import { gatewayFlags, longarmCommand } from '@longarm/testkit/programs';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { until } from '@longarm/testkit/until';

let folder: string;
let server: RunningServer;
let admin: AdminDoor;
/** What the log was told. */
let faults: string[];

const file = (name: string) => join(folder, name);

/** Whole or not at all, as those who renew certificates do it. */
const put = async ({ cert, key }: Pick<LoopbackCertificate, 'cert' | 'key'>) => {
  await writeFile(file('key.new'), key);
  await writeFile(file('cert.new'), cert);
  await rename(file('key.new'), file('key.pem'));
  await rename(file('cert.new'), file('cert.pem'));
};

const start = async (...flags: string[]) => {
  const watched = ['--limit', 'certificate-seconds=0.05'];
  const argv = [
    '--data',
    file('data'),
    '--listen',
    '127.0.0.1:0',
    '--log-level',
    'silent',
    ...watched,
    ...gatewayFlags(),
    ...flags,
  ];
  const config = readConfig(argv, {});
  faults = [];
  const log = openLog(config.logLevel);
  const error = (about: { readonly err?: unknown }) => void faults.push(String(about.err));
  server = await startServer(config, Object.assign(Object.create(log), { error }), systemWorld(longarmCommand()));
  admin = await openAdmin(file('data'));
};

const GIVEN = () => ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-tls-'));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

type Seen = { readonly serial: string; readonly protocol: string | null };

const RESET: Seen = { serial: 'reset', protocol: null };

/** What a new connection is shown. */
const look = (options: { readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {}): Promise<Seen> => {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const port = Number(new URL(server.url).port);
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
    const { serialNumber }: PeerCertificate = socket.getPeerCertificate();
    resolve({ serial: serialNumber, protocol: socket.getProtocol() });
    socket.destroy();
  });
  // what the old listener had not yet taken when it was closed is reset by the system, and tried again by its client
  socket.on('error', (fault) => ('code' in fault && fault.code === 'ECONNRESET' ? resolve(RESET) : reject(fault)));
  return promise;
};
const serialOf = ({ cert }: LoopbackCertificate) => new X509Certificate(cert).serialNumber;

const COMMANDS = [{ type: 'PutFile', params: [{ key: 'FileName', value: 'large.bin' }] }];
const LARGE = 24 * 1_048_576;

describe('a given certificate', () => {
  test('is handed over to: new connections see it, a socket and a long download go on', async () => {
    const [first, second] = await Promise.all([
      makeLoopbackCertificate(Date.now()),
      makeLoopbackCertificate(Date.now()),
    ]);
    await put(first);
    await writeFile(file('ca.pem'), first.caPem);
    await start(...GIVEN(), '--tls-ca', file('ca.pem'), '--limit', 'library-mib=40');
    expect(await look()).toEqual({ serial: serialOf(first), protocol: 'TLSv1.3' });
    const tls = { ca: first.caPem };
    const api = await apiCaller({ server: server.url, admin, transport: (url, init) => fetch(url, { ...init, tls }) });
    const { token } = await admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
    expect(token.endsWith(`.${first.caSha256}`)).toBe(true);
    const options = { server: server.url, enrolToken: token, name: 'device', caPem: first.caPem };
    const device = await ScriptedDevice.enrol(options);
    await device.connect();
    await api.upload('large.bin', 'x'.repeat(LARGE));
    await api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: COMMANDS });
    const offer = await device.takeOffer();
    const sha256 = offer.payload.commands[0]?.file?.sha256 ?? '';
    const download = (await device.fetchLibraryFile(offer, sha256)).body?.getReader();
    let bytes = (await download?.read())?.value?.length ?? 0;
    await put(second);
    await until(look, ({ serial }) => serial === serialOf(second));
    // what was there before goes on, to its end
    await device.report({ kind: 'accepted', actionId: offer.actionId });
    for (let piece = await download?.read(); piece?.done === false; piece = await download?.read())
      bytes += piece.value.length;
    expect(bytes).toBe(LARGE);
    await device.report({ kind: 'command-started', actionId: offer.actionId, index: 0 });
    // and a new connection trusts the new authority
    const anew = await fetch(`${server.url}/agent/v1/ca.pem`, { tls: { ca: second.caPem }, keepalive: false });
    expect([anew.status, await anew.text()]).toEqual([200, first.caPem]);
  });

  test('that is no good is refused, and the old one goes on until a good one comes', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => makeLoopbackCertificate(Date.now())));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three were made');
    await put(first);
    await start(...GIVEN());
    const old = await makeLoopbackCertificate(Date.now() - 500 * 86_400_000);
    const broken = {
      'expected the private key': { cert: second.cert, key: first.key },
      'expected a certificate in PEM': { cert: 'rubbish', key: second.key },
      'expected a certificate that is valid now': old,
    };
    for (const [said, pair] of Object.entries(broken)) {
      await put(pair);
      await until(
        async () => faults.join('\n'),
        (text) => text.includes(said),
      );
      expect((await look()).serial).toBe(serialOf(first));
    }
    await put(third);
    await until(look, ({ serial }) => serial === serialOf(third));
  });

  test('has to be good at the start, and both of its files have to be named', async () => {
    const first = await makeLoopbackCertificate(Date.now());
    const second = await makeLoopbackCertificate(Date.now());
    await put({ cert: first.cert, key: second.key });
    await expect(start(...GIVEN())).rejects.toThrow('expected the private key of the certificate');
    await rm(file('cert.pem'));
    await expect(start(...GIVEN())).rejects.toThrow('expected a PEM file that can be read');
    expect(() => readConfig(['--data', 'd', '--tls-cert', 'x'], {})).toThrow('expected both');
    expect(() => readConfig(['--data', 'd', ...GIVEN(), '--tls', 'off'], {})).toThrow('expected nothing beside');
    await put(first);
    await start(...GIVEN());
    const { token } = await admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
    expect(token.endsWith('.none')).toBe(true);
  });
});

test('TLS 1.3 and 1.2 are spoken, older ones are not, and nobody else shares the port', async () => {
  await start();
  expect((await look()).protocol).toBe('TLSv1.3');
  expect((await look({ maxVersion: 'TLSv1.2' })).protocol).toBe('TLSv1.2');
  await expect(look({ maxVersion: 'TLSv1.1' })).rejects.toThrow();
  const { host } = new URL(server.url);
  const config = readConfig(['--data', file('other'), '--listen', host, '--log-level', 'silent'], {});
  await expect(startServer(config, openLog('silent'))).rejects.toThrow();
});

test('behind a proxy that ends TLS a device is proven as ever', async () => {
  await start('--tls', 'off');
  const { cert, key, caPem } = await makeLoopbackCertificate(Date.now());
  const inner = Number(new URL(server.url).port);
  const proxy = createServer({ cert, key }, (socket) => {
    const onward = connectPlain(inner, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const outer = typeof address === 'object' && address !== null ? address.port : 0;
  const { token } = await admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
  const options = { server: `https://127.0.0.1:${outer}`, enrolToken: token, name: 'behind', caPem };
  const api = await apiCaller({ server: server.url, admin });
  const device = await ScriptedDevice.enrol(options);
  await device.connect();
  const GET = [{ type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] }];
  await api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: GET });
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  expect((await device.upload(offer, { index: 0, stream: 'file' }, 'through the proxy')).sizeBytes).toBe(17);
  await device.disconnect();
  proxy.close();
});
