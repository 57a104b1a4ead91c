/** Traces: one for each action, from its request to its result, as a collector gets them. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { type CollectedSpan, startTraceCollector, type TraceCollector } from '@longarm/testkit/trace-collector';

const RUN = { type: 'RunScript', params: [{ key: 'ScriptName', value: 's.sh' }] };
const EMPTY = createHash('sha256').digest('hex');

let collector: TraceCollector;
let server: TestServer;
let device: ScriptedDevice;
beforeAll(async () => {
  collector = startTraceCollector();
  server = await startTestServer(['--traces', collector.url]);
  await server.api.upload('s.sh', 'echo hi');
  device = await server.device('host');
});
afterAll(async () => {
  await server.stop();
  await collector.stop();
});

const request = async (): Promise<string> =>
  String((await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: [RUN] })).json.id);
const traceIdOf = (actionId: string) => actionId.replaceAll('-', '');
const named = (spans: readonly CollectedSpan[], name: string) => spans.filter((span) => span.name === name);
const isWhole = (spans: readonly CollectedSpan[]) => named(spans, 'live response').length > 0;

test('an action is one trace under its own id, from the request to the download, the device’s part within', async () => {
  const id = await request();
  const offer = await device.take('offer');
  const [version, traceId, rootId, flags] = (offer.traceparent ?? '').split('-');
  expect([version, traceId, flags]).toEqual(['00', traceIdOf(id), '01']);
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  const startedAt = Date.now();
  device.send({ type: 'report', sequence: 2, fact: { kind: 'command-started', actionId, index: 0, at: startedAt } });
  const result = (stream: string) => ({ stream, sha256: EMPTY, sizeBytes: 0, name: stream, cutBytes: 0 });
  const results = ['stdout', 'stderr'].map(result);
  const done = { outcome: 'Completed', errors: [], exitCode: 0, results };
  device.send({
    type: 'report',
    sequence: 3,
    fact: { kind: 'command-finished', actionId, index: 0, at: startedAt + 40, ...done },
    contents: ['stdout', 'stderr'].map((stream) => ({ stream, content: '' })),
    steps: [{ name: 'run', startedAt: startedAt + 1, milliseconds: 38.5 }],
  });
  device.send({
    type: 'report',
    sequence: 4,
    fact: { kind: 'action-ended', actionId, at: startedAt + 40, how: 'done' },
  });
  while ((await device.take('acknowledge')).sequence < 4);
  await (await server.api.download(id, 0)).text();
  const spans = await collector.trace(traceIdOf(id), (all) => isWhole(all) && named(all, 'download begins').length > 0);
  const [whole] = named(spans, 'live response');
  expect(whole).toMatchObject({
    spanId: rootId,
    attributes: { 'longarm.action.id': id, 'longarm.status': 'Succeeded' },
  });
  expect(whole?.parentSpanId ?? '').toBe('');
  const below = spans.filter((span) => span !== whole);
  expect(new Set(below.map((span) => span.name))).toEqual(
    new Set(['request', 'offer until accepted', 'record', 'command', 'run', 'result link', 'download begins']),
  );
  for (const span of below) expect(span.parentSpanId).toBe(String(rootId));
  expect(named(spans, 'record')).toHaveLength(3);
  const [run] = named(spans, 'run');
  expect(run?.attributes).toMatchObject({ 'longarm.where': 'device', 'longarm.command.index': 0 });
  expect(((run?.endTimeUnixNano ?? 0) - (run?.startTimeUnixNano ?? 0)) / 1e6).toBeCloseTo(38.5, 0);
  const [command] = named(spans, 'command');
  expect(((command?.endTimeUnixNano ?? 0) - (command?.startTimeUnixNano ?? 0)) / 1e6).toBeCloseTo(40, 0);
});

test('what is told again is told of once; a cancel ends the trace as one', async () => {
  const id = await request();
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  await server.api.post(`/api/machineactions/${id}/cancel`, { Comment: 'enough' });
  const spans = await collector.trace(traceIdOf(id), isWhole);
  expect(named(spans, 'record')).toHaveLength(1);
  expect(named(spans, 'cancel')).toHaveLength(1);
  expect(named(spans, 'live response')[0]?.status).toMatchObject({ code: 2, message: 'Cancelled' });
  await device.report({ kind: 'action-ended', actionId: offer.actionId, how: 'cancelled' });
});

test('no comment, name, argument or output is in a span', async () => {
  const body = {
    Commands: [{ ...RUN, params: [...RUN.params, { key: 'Args', value: 'secret-argument' }] }],
    Comment: 'secret-comment',
  };
  const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, body);
  await device.takeOffer();
  await server.api.post(`/api/machineactions/${json.id}/cancel`, { Comment: 'secret-reason' });
  await collector.trace(traceIdOf(String(json.id)), isWhole);
  expect(JSON.stringify(collector.all())).not.toMatch(/secret|analyst|s\.sh/);
});

test('without a collector nothing is traced, and the offer carries nothing', async () => {
  const plain = await startTestServer();
  await plain.api.upload('s.sh', 'echo hi');
  const other = await plain.device('host');
  await plain.api.post(`/api/machines/${other.machineId}/runliveresponse`, { Commands: [RUN] });
  expect((await other.take('offer')).traceparent).toBeUndefined();
  await plain.stop();
});

test('a collector that is away holds up nothing', async () => {
  const lonely = await startTestServer(['--traces', 'http://127.0.0.1:9']);
  await lonely.api.upload('s.sh', 'echo hi');
  const other = await lonely.device('host');
  const { status } = await lonely.api.post(`/api/machines/${other.machineId}/runliveresponse`, { Commands: [RUN] });
  expect(status).toBe(200);
  await other.takeOffer();
  await lonely.stop();
});
