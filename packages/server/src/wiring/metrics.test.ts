import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(['--metrics', '127.0.0.1:0']);
});

afterAll(() => server.stop());

/** The value of one sample; NaN where there is none. */
const sampleOf = (text: string, sample: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1) ?? Number.NaN,
  );

const runScript = (machineId: string) =>
  server.api.post(`/api/machines/${machineId}/runliveresponse`, {
    Commands: [{ type: 'RunScript', params: [{ key: 'ScriptName', value: 'secret-name.sh' }] }],
    Comment: 'of a case nobody may know',
  });

test('what happens is counted: requests, refusals, claims, offers, reports, uploads, commits', async () => {
  await server.api.upload('secret-name.sh', '0123456789');
  const device = await server.device('private-host.lab.example');
  const waiting = await server.absentDevice('absent-host.lab.example');
  await runScript(device.machineId);
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  await runScript(waiting.machineId);
  expect((await runScript(device.machineId)).status).toBe(400);

  const text = await server.metrics();
  const endpoint = 'endpoint="runLiveResponse"';
  expect({
    served: sampleOf(text, `longarm_requests_total{${endpoint},status="200"}`),
    refused: sampleOf(text, `longarm_requests_total{${endpoint},status="400"}`),
    timed: sampleOf(text, `longarm_request_seconds_count{${endpoint}}`),
    busy: sampleOf(text, 'longarm_refusals_total{code="ActiveRequestAlreadyExists"}'),
    claims: sampleOf(text, 'longarm_claims_total'),
    offers: sampleOf(text, 'longarm_offers_total'),
    reports: sampleOf(text, 'longarm_reports_total{kind="accepted"}'),
    uploaded: sampleOf(text, 'longarm_upload_bytes_total{what="library"}'),
    connected: sampleOf(text, 'longarm_devices_connected'),
    pending: sampleOf(text, 'longarm_actions_pending'),
    running: sampleOf(text, 'longarm_actions_running'),
    held: sampleOf(text, 'longarm_sessions_held'),
    limit: sampleOf(text, 'longarm_sessions_limit'),
    lockdown: sampleOf(text, 'longarm_lockdown'),
  }).toEqual({
    served: 2,
    refused: 1,
    timed: 3,
    busy: 1,
    claims: 1,
    offers: 1,
    reports: 1,
    uploaded: 10,
    connected: 1,
    pending: 1,
    running: 1,
    held: 1,
    limit: 25,
    lockdown: 0,
  });
  expect(sampleOf(text, 'longarm_oldest_pending_seconds')).toBeGreaterThanOrEqual(0);
  expect(sampleOf(text, 'longarm_audit_head')).toBeGreaterThan(3);
  expect(sampleOf(text, 'longarm_store_bytes')).toBeGreaterThan(4_096);
  const commits = sampleOf(text, 'longarm_store_commit_milliseconds_count');
  expect(commits).toBeGreaterThan(3);
  expect(sampleOf(text, 'longarm_store_units_per_commit_sum')).toBeGreaterThanOrEqual(commits);
});

test('no device, person, file or comment is named', async () => {
  await server.api.call('/api/machines/private-host.lab.example');
  await server.api.call('/api/secret-name.sh/analyst@example.org');
  await server.admin.call('lockDown', { reason: 'a secret reason' });
  const text = await server.metrics();
  for (const name of ['private-host', 'absent-host', 'analyst', 'secret', 'nobody may know', '127.0.0.1'])
    expect(text).not.toContain(name);
  expect(text).not.toMatch(/[0-9a-f]{32}/);
  expect(sampleOf(text, 'longarm_lockdown')).toBe(1);
  await server.admin.call('liftLockdown', {});
});

test('the text is what Prometheus reads: each sample belongs to a family with help and type', async () => {
  const lines = (await server.metrics()).split('\n').filter((line) => line !== '');
  const families = new Set(lines.flatMap((line) => /^# TYPE (\S+) (?:counter|gauge|histogram)$/.exec(line)?.[1] ?? []));
  const helped = new Set(lines.flatMap((line) => /^# HELP (\S+) \S/.exec(line)?.[1] ?? []));
  expect([...families].sort()).toEqual([...helped].sort());
  for (const line of lines.filter((text) => !text.startsWith('#'))) {
    expect(line).toMatch(/^[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? (?:[-+0-9.e]+|Nan|NaN)$/);
    const name = line.split(/[ {]/)[0] ?? '';
    expect(families.has(name) || families.has(name.replace(/_(?:bucket|sum|count)$/, ''))).toBe(true);
  }
});
