import { afterEach, expect, test } from 'bun:test';
import { makeLoopbackCertificate } from '@longarm/testkit/loopback-certificate';
import { createManualWorld } from '@longarm/testkit/manual-world';
import {
  apiError,
  entityAnswer,
  type FixtureOptions,
  type FixtureRoutes,
  limited,
  pageAnswer,
  type RestFixture,
  startRestFixture,
} from '@longarm/testkit/rest-fixture';
import { SAMPLE_ACTION_ID, sampleAction, sampleMachine } from '@longarm/testkit/sample-entities';
import { type ClientOptions, createClient } from './create-client.ts';

const fixtures: RestFixture[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.stop();
});

const serve = (routes: FixtureRoutes, options: FixtureOptions = {}): RestFixture => {
  const fixture = startRestFixture(routes, options);
  fixtures.push(fixture);
  return fixture;
};

const CREDENTIALS = { tenant: 'default', clientId: 'app', clientSecret: 'correct horse' };
const clientOf = (server: string, more: Partial<ClientOptions> = {}) =>
  createClient({ server, credentials: CREDENTIALS, transport: fetch, world: createManualWorld(), ...more });

const machineRoute = { 'GET /api/machines/host1': () => entityAnswer('Machines', sampleMachine()) };
const tokenCalls = (fixture: RestFixture) => fixture.requests.filter((line) => line.includes('/token')).length;

test('one token serves many calls, and a new one is asked for shortly before it expires', async () => {
  const fixture = serve(machineRoute);
  const world = createManualWorld();
  const client = clientOf(fixture.url, { world });
  const [first] = await Promise.all([client.getMachine('host1'), client.getMachine('host1')]);
  expect(first.computerDnsName).toBe('host1.lab.example');
  world.advance(3_290_000);
  await client.getMachine('host1');
  expect(tokenCalls(fixture)).toBe(1);
  world.advance(11_000);
  await client.getMachine('host1');
  expect(tokenCalls(fixture)).toBe(2);
});

test('a token that the server no longer takes is renewed once', async () => {
  const fixture = serve(machineRoute);
  const client = clientOf(fixture.url);
  await client.getMachine('host1');
  fixture.revokeTokens();
  expect((await client.getMachine('host1')).isOnline).toBe(true);
  expect(tokenCalls(fixture)).toBe(2);
});

test('a server that takes no token at all is asked twice, not for ever', async () => {
  const fixture = serve({ 'GET /api/machines/host1': () => apiError(401, 'Unauthorized', 'No valid token.') });
  const failure = clientOf(fixture.url).getMachine('host1');
  await expect(failure).rejects.toMatchObject({ name: 'ApiFailure', status: 401, code: 'Unauthorized' });
  expect(fixture.requests.filter((line) => line.startsWith('GET'))).toHaveLength(2);
});

test('wrong credentials are a failure with the sentence of the token endpoint', async () => {
  const fixture = serve({});
  const client = clientOf(fixture.url, { credentials: { ...CREDENTIALS, clientSecret: 'wrong' } });
  await expect(client.signIn()).rejects.toMatchObject({
    name: 'ApiFailure',
    code: 'invalid_client',
    status: 401,
    message: 'The client secret is not valid.',
  });
});

test('a refusal carries code, sentence, status, target and seconds to wait', async () => {
  const busy = () => limited('7');
  const fixture = serve({ 'GET /api/machines/host1': busy });
  await expect(clientOf(fixture.url).getMachine('host1')).rejects.toMatchObject({
    code: 'TooManyRequests',
    status: 429,
    message: 'Too many calls.',
    target: 'b1b7c9a0-0000-4000-8000-000000000001',
    retryAfterSeconds: 7,
  });
});

test('patience waits as long as the server asks, and makes the call again', async () => {
  let calls = 0;
  const fixture = serve({
    'GET /api/machines/host1': () => (++calls === 1 ? limited('7') : machineRoute['GET /api/machines/host1']()),
  });
  const world = createManualWorld();
  const answer = clientOf(fixture.url, { world, limitPatienceSeconds: 10 }).getMachine('host1');
  await world.timerOf(7_000);
  expect(calls).toBe(1);
  world.advance(7_000);
  expect((await answer).id).toBe(sampleMachine().id);
  expect(calls).toBe(2);
});

test('patience that is shorter than the wait throws at once', async () => {
  const fixture = serve({
    'GET /api/machines/host1': () => limited('11'),
  });
  const client = clientOf(fixture.url, { limitPatienceSeconds: 10 });
  await expect(client.getMachine('host1')).rejects.toMatchObject({ retryAfterSeconds: 11 });
});

test('pages are followed by the query of their link, at the address that the caller chose', async () => {
  const fixture = serve({
    'GET /api/machines': (request) =>
      new URL(request.url).searchParams.get('$skip') === '1'
        ? pageAnswer('Machines', [sampleMachine({ computerDnsName: 'second' })])
        : pageAnswer(
            'Machines',
            [sampleMachine({ computerDnsName: 'first' })],
            'https://elsewhere.invalid/api/machines?$skip=1&$filter=a',
          ),
  });
  const names: string[] = [];
  for await (const machine of clientOf(fixture.url).listMachines({ $filter: 'a' })) names.push(machine.computerDnsName);
  expect(names).toEqual(['first', 'second']);
});

test('a next link that leads to where it came from ends the pages', async () => {
  const again = () => pageAnswer('Machines', [sampleMachine()], 'https://x.invalid/api/machines?$skip=0');
  const fixture = serve({ 'GET /api/machines': again });
  expect(await Array.fromAsync(clientOf(fixture.url).listMachines())).toHaveLength(2);
});

test('keys beyond the contract are let pass, and a missing one is named', async () => {
  const { status: _, ...withoutStatus } = sampleAction();
  const fixture = serve({
    'GET /api/machineactions/a': () => entityAnswer('MachineActions', { ...sampleAction(), novelty: 1 }),
    'GET /api/machineactions/b': () => entityAnswer('MachineActions', withoutStatus),
  });
  const client = clientOf(fixture.url);
  expect((await client.getAction('a')).id).toBe(SAMPLE_ACTION_ID);
  await expect(client.getAction('b')).rejects.toThrow(/at status/);
});

test('a name with separators stays one part of the path', async () => {
  const fixture = serve({});
  await expect(clientOf(fixture.url).getMachine('a/../b?c')).rejects.toMatchObject({ status: 404 });
  expect(fixture.requests.at(-1)).toBe('GET /api/machines/a%2F..%2Fb%3Fc');
});

test('a run carries its body and its idempotency key', async () => {
  let seen: unknown;
  const fixture = serve({
    'POST /api/machines/host1/runliveresponse': (request, body) => {
      seen = [request.headers.get('idempotency-key'), JSON.parse(new TextDecoder().decode(body))];
      return entityAnswer('MachineActions', sampleAction());
    },
  });
  const request = { Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: '/x' }] }], Comment: 'why' };
  await clientOf(fixture.url).runLiveResponse('host1', request, { idempotencyKey: 'k1' });
  expect(seen).toEqual(['k1', request]);
});

test('nothing listening, and another answer than the API gives, are told apart', async () => {
  const gone = serve({});
  await gone.stop();
  await expect(clientOf(gone.url).signIn()).rejects.toMatchObject({ name: 'Unreachable', reason: 'refused' });
  const other = serve({ 'GET /api/machines/host1': () => new Response('<html>', { status: 502 }) });
  await expect(clientOf(other.url).getMachine('host1')).rejects.toMatchObject({ code: 'Unknown', status: 502 });
});

test('an answer that never comes is given up', async () => {
  const fixture = serve({ 'GET /api/machines/host1': () => new Promise<Response>(() => {}) });
  const world = createManualWorld();
  const silent = clientOf(fixture.url, { world }).getMachine('host1');
  await world.timerOf(120_000);
  world.advance(120_000);
  await expect(silent).rejects.toMatchObject({ name: 'Unreachable', reason: 'silent' });
});

test('a CA of its own is trusted when it is given, and only then', async () => {
  const { cert, key, caPem } = await makeLoopbackCertificate(Date.now());
  const fixture = serve(machineRoute, { tls: { cert, key } });
  expect((await clientOf(fixture.url, { caPem }).getMachine('host1')).isOnline).toBe(true);
  await expect(clientOf(fixture.url).signIn()).rejects.toMatchObject({ name: 'Unreachable', reason: 'untrusted' });
});
