/** What was refused is in the audit: counted, bounded, and never at the price of a commit each. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { AGENT_PATHS, uploadPath } from '@longarm/contract/wire/protocol';
import { apiCaller } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { enrolKey, newKey, openSocket } from './raw-device.ts';
import { storeRows } from './store-rows.ts';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(60_000);

const NO_MACHINE = '0'.repeat(40);
const RUN = `/api/machines/${NO_MACHINE}/runliveresponse`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(['--limit', 'runs-per-minute=2', '--trust-proxy']);
});
afterAll(() => server.stop());

let seen = 0;
/** Entries of refusals that are written by now and were not looked at before. */
const written = async () => {
  await server.restart();
  const rows = storeRows(
    server.dataFolder,
    "select * from audit where seq > ? and (event like '%.refused' or event in ('request.failed', 'sign-in.issued')) order by seq",
    seen,
  );
  seen = Number(rows.at(-1)?.seq ?? seen);
  return rows.map(({ actor, event, subject, detail }) => ({ actor, event, subject, ...JSON.parse(String(detail)) }));
};

/** A request from an address that a proxy vouches for; the id that its refusal names. */
const ask = async (address: string, path: string, init: RequestInit = {}) => {
  const headers = { 'x-forwarded-for': address, ...init.headers };
  const response = await fetch(server.url + path, { method: 'POST', ...init, headers });
  const body = JSON.parse((await response.text()) || '{}');
  return { status: response.status, requestId: String(body.error?.target), code: String(body.error?.code) };
};

test('a stranger and a caller that may not: who, what, from where, how often, and the ids that they were told', async () => {
  const reader = await apiCaller({ server: server.url, admin: server.admin, name: 'reader', roles: ['User.Read.All'] });
  const told = [await ask('192.0.2.1', RUN), await ask('192.0.2.1', RUN, { headers: { authorization: 'Bearer x' } })];
  await ask('192.0.2.2', RUN);
  const bearer = { authorization: `Bearer ${reader.token}` };
  const forbidden = await ask('192.0.2.1', RUN, { headers: bearer });
  const removal = await ask('192.0.2.1', '/api/libraryfiles/a.sh', { method: 'DELETE', headers: bearer });
  // these change nothing, whatever they meet
  await ask('192.0.2.9', '/api/machines', { method: 'GET' });
  await ask('192.0.2.9', '/nothing/here');
  const entries = (await written()).filter(({ event }) => event === 'request.refused');
  const stranger = { actor: 'stranger', subject: 'runLiveResponse', code: 'Unauthorized', about: NO_MACHINE };
  const known = { actor: 'reader', code: 'Forbidden', count: 1 };
  expect(entries).toMatchObject([
    {
      ...stranger,
      count: 2,
      firstRequestId: told[0]?.requestId,
      origin: { address: '192.0.2.1', requestId: told[1]?.requestId },
    },
    { ...stranger, count: 1, origin: { address: '192.0.2.2' } },
    { ...known, subject: 'runLiveResponse', origin: { requestId: forbidden.requestId } },
    { ...known, subject: 'deleteLibraryFile', origin: { requestId: removal.requestId } },
  ]);
});

test('too many calls, a body that is none and a machine that is not here are told apart', async () => {
  const bearer = { authorization: `Bearer ${server.api.token}` };
  const bodies = ['{', '{"Commands":[{"type":"GetFile","params":[{"key":"Path","value":"/x"}]}]}', '{}', '{}'];
  const codes: string[] = [];
  for (const body of bodies) codes.push((await ask('192.0.2.3', RUN, { headers: bearer, body })).code);
  expect(codes).toEqual(['InvalidRequestBody', 'ResourceNotFound', 'TooManyRequests', 'TooManyRequests']);
  const entries = (await written()).filter(({ event }) => event === 'request.refused');
  expect(entries.map(({ actor, code, count }) => [actor, code, count])).toEqual([
    ['analyst@example.org', 'InvalidRequestBody', 1],
    ['analyst@example.org', 'ResourceNotFound', 1],
    ['analyst@example.org', 'TooManyRequests', 2],
  ]);
});

test('devices that may not enrol, prove themselves or talk so', async () => {
  const enrol = (body: string) => ask('192.0.2.4', AGENT_PATHS.enrol, { body });
  const key = newKey();
  expect((await enrol('{}')).code).toBe('InvalidRequestBody');
  expect((await enrol(JSON.stringify(key.enrolment('longarm1.a.b.-')))).status).toBe(401);
  await ask('192.0.2.5', uploadPath({ actionId: crypto.randomUUID(), index: 0, stream: 'file' }));
  const known = await enrolKey(server.url, server.enrolToken);
  const talk = async (frames: (nonce: string) => readonly (object | string)[]) => {
    const socket = await openSocket(server.url);
    const [first = '', ...more] = frames(socket.nonce);
    socket.send(first);
    if (more.length > 0) await socket.frame('welcome');
    for (const frame of more) socket.send(frame);
    await socket.closed();
  };
  await talk(() => ['rubbish']);
  await talk((nonce) => [known.prove(nonce, { proof: '' })]);
  await talk((nonce) => [known.prove(nonce), 'rubbish']);
  await talk((nonce) => [known.prove(nonce), known.prove(nonce)]);
  const entries = await written();
  expect(entries.map(({ actor, event, subject, code }) => [actor, event, subject, code])).toEqual([
    ['stranger', 'request.refused', 'enrol', 'InvalidRequestBody'],
    ['stranger', 'request.refused', 'enrol', 'Unauthorized'],
    ['stranger', 'request.refused', 'transfer', 'Unauthorized'],
    ['stranger', 'device.refused', 'connection', 'bad-frame'],
    ['stranger', 'device.refused', 'connection', 'bad-proof'],
    [`device ${known.machineId}`, 'device.refused', 'connection', 'bad-frame'],
    [`device ${known.machineId}`, 'device.refused', 'connection', 'bad-turn'],
  ]);
  expect(entries[4]).toMatchObject({ about: known.machineId, origin: { address: '127.0.0.1' } });
});

test('tokens that were issued, and those that were not: to whom, by which grant, from where', async () => {
  await written();
  const { clientId, clientSecret } = await server.admin.call('createApplication', {
    name: 'soar',
    roles: ['Machine.Read.All'],
  });
  const token = async (form: Readonly<Record<string, string>>) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, ...form });
    const headers = { 'x-forwarded-for': '192.0.2.6' };
    const response = await fetch(`${server.url}/default/oauth2/v2.0/token`, { method: 'POST', body, headers });
    return JSON.parse(await response.text());
  };
  await token({ client_secret: clientSecret });
  await token({ client_secret: clientSecret });
  await token({ client_secret: 'wrong' });
  await token({ grant_type: 'saml2-bearer' });
  const entries = (await written()).filter(({ event }) => event.startsWith('sign-in.'));
  const asked = { subject: 'client_credentials', about: clientId };
  expect(entries).toMatchObject([
    { ...asked, event: 'sign-in.refused', actor: 'stranger', code: 'invalid_client 7000215', count: 1 },
    { event: 'sign-in.refused', actor: 'stranger', subject: 'other grant', code: 'unsupported_grant_type 70003' },
    { event: 'sign-in.issued', actor: 'soar', subject: 'client_credentials', code: 'ok', count: 2 },
  ]);
  expect(new Set(entries.map(({ origin }) => origin.address))).toEqual(new Set(['192.0.2.6']));
  expect(JSON.stringify(entries)).not.toContain(clientSecret);
});

test('a flood of bad requests is few entries, and commits nothing while it lasts', async () => {
  const count = () => storeRows(server.dataFolder, 'select count(*) as entries from audit')[0]?.entries;
  const before = Number(count());
  const lane = async (place: number) => {
    for (let call = 0; call < 500; call++) await ask(`2001:db8::${place}:${call}`, RUN);
  };
  await Promise.all(Array.from({ length: 20 }, (_, place) => lane(place)));
  // the clock may have come round meanwhile, once or twice
  expect(Number(count()) - before).toBeLessThan(400);
  const entries = (await written()).filter(({ event }) => event === 'request.refused');
  expect(entries.length).toBeLessThan(500);
  const all = storeRows(server.dataFolder, 'select detail from audit where seq > ?', before);
  const counted = all.map(({ detail }) => JSON.parse(String(detail)).count ?? 0).reduce((sum, each) => sum + each, 0);
  expect(counted).toBe(10_000);
});
