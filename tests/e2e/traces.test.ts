/** A trace through real programs: the server's parts and the device's, in one. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { openSite, runScript, type TestSite } from '@longarm/testkit/test-site';
import { startTraceCollector, type TraceCollector } from '@longarm/testkit/trace-collector';
import { until } from '@longarm/testkit/until';

let collector: TraceCollector;
let site: TestSite;
beforeAll(async () => {
  collector = startTraceCollector();
  site = await openSite(['--traces', collector.url]);
});
afterAll(async () => {
  await site.close();
  await collector.stop();
});

test('the device tells what fetching and running a script took, where the action is traced', async () => {
  const agent = await site.agent();
  await site.api.upload('hello.sh', 'sleep 0.2; echo hello\n');
  const { json } = await site.run(agent.machineId, [runScript('hello.sh')]);
  await until(
    () => site.api.call(`/api/machineactions/${json?.id}`),
    (answer) => answer.json.status === 'Succeeded',
  );
  const spans = await collector.trace(String(json?.id).replaceAll('-', ''), (all) =>
    ['live response', 'fetch', 'run'].every((name) => all.some((span) => span.name === name)),
  );
  const tookMs = (name: string) => {
    const span = spans.find((one) => one.name === name);
    return ((span?.endTimeUnixNano ?? 0) - (span?.startTimeUnixNano ?? 0)) / 1e6;
  };
  expect(tookMs('run')).toBeGreaterThanOrEqual(200);
  expect(tookMs('live response')).toBeGreaterThan(tookMs('run'));
  expect(spans.filter(({ name }) => name === 'run').map(({ attributes }) => attributes['longarm.where'])).toEqual([
    'device',
  ]);
});
