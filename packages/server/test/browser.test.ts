/** What a browser that is led to an address of this server may do with the answer: nothing. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

const PAGE = '<script>alert(document.domain)</script>';
const NOTHING = "default-src 'none'; frame-ancestors 'none'; sandbox";

let server: TestServer;
let device: ScriptedDevice;
let actionId: string;
beforeAll(async () => {
  server = await startTestServer();
  device = await server.device();
  await server.api.upload('page.html', PAGE);
  const Commands = [
    { type: 'GetFile', params: [{ key: 'Path', value: '/var/www/index.html' }] },
    { type: 'RunScript', params: [{ key: 'ScriptName', value: 'page.html' }] },
  ];
  actionId = (await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands })).json.id;
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  for (const [index, stream] of (['file', 'stdout'] as const).entries()) {
    const uploaded = await device.upload(offer, { index, stream }, PAGE);
    const stderr = index === 0 ? [] : [await device.upload(offer, { index, stream: 'stderr' }, PAGE)];
    await device.report({ kind: 'command-started', actionId: offer.actionId, index });
    await device.report({
      kind: 'command-finished',
      actionId: offer.actionId,
      index,
      outcome: 'Completed',
      errors: [],
      exitCode: index === 0 ? null : 0,
      results: [{ ...uploaded, name: index === 0 ? '"><script>.html' : uploaded.name }, ...stderr],
    });
  }
});
afterAll(() => server.stop());

const expectInert = (answer: Pick<Response, 'headers'>) => {
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-security-policy')).toBe(NOTHING);
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(answer.headers.get('content-type') ?? '').not.toMatch(/html|svg|xml(?!-)/);
};

for (const [index, suffix] of [
  [0, ''],
  [0, '&raw=1'],
  [1, ''],
  [1, '&raw=1&stream=stdout'],
] as const) {
  test(`a result is saved, never shown: command ${index}${suffix}`, async () => {
    const answer = await server.api.download(actionId, index, suffix);
    expect(answer.status).toBe(200);
    expectInert(answer);
    const disposition = answer.headers.get('content-disposition') ?? '';
    expect(disposition).toMatch(/^attachment; filename=[A-Za-z0-9._~%-]+$/);
    await answer.body?.cancel();
  });
}

test('so is a library file', async () => {
  const answer = await server.api.call('/api/libraryfiles/page.html/content');
  expect(answer.text).toBe(PAGE);
  expectInert(answer);
  expect(answer.headers.get('content-disposition')).toStartWith('attachment; ');
});

test('entities, refusals of each door, redirections and what is not there do nothing either', async () => {
  const paths = [
    '/api/machines',
    '/api/nothing',
    '/health',
    '/openapi.json',
    '/',
    '/nothing',
    '/results/x',
    '/install.sh',
  ];
  for (const path of [...paths, '/agent/v1/ca.pem', '/agent/v1/actions/x/files/y']) {
    expectInert(await server.api.call(path));
  }
  expectInert(await fetch(`${server.url}/default/oauth2/v2.0/token`, { method: 'POST', body: PAGE }));
  expectInert(await fetch(`${server.url}/agent/v1/enrol`, { method: 'POST', body: PAGE }));
});

test('the one page keeps its own policy, which runs nothing', async () => {
  const { headers } = await fetch(`${server.url}/docs`);
  expect(headers.get('content-type')).toContain('text/html');
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri/);
  expect(headers.get('content-security-policy')).not.toMatch(/script|unsafe/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});
