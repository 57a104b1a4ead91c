import { afterEach, expect, test } from 'bun:test';
import type { ActionEntity } from '@longarm/contract/action';
import { createManualWorld } from '@longarm/testkit/manual-world';
import { apiError, type FixtureRoutes, type RestFixture, startRestFixture } from '@longarm/testkit/rest-fixture';
import { SAMPLE_ACTION_ID, sampleAction } from '@longarm/testkit/sample-entities';
import { createClient } from './create-client.ts';

const EVENTS = `/api/machineactions/${SAMPLE_ACTION_ID}/events`;
const fixtures: RestFixture[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.stop();
});

const watch = (answers: readonly ((request: Request) => Response)[], patienceSeconds = 120) => {
  let call = 0;
  const routes: FixtureRoutes = {
    [`GET ${EVENTS}`]: (request) => answers[Math.min(call++, answers.length - 1)]?.(request) ?? new Response(),
  };
  const fixture = startRestFixture(routes);
  fixtures.push(fixture);
  const world = createManualWorld();
  const credentials = { tenant: 'default', clientId: 'app', clientSecret: 'correct horse' };
  const client = createClient({ server: fixture.url, credentials, transport: fetch, world });
  const controller = new AbortController();
  const stream = client.watchAction(SAMPLE_ACTION_ID, { patienceSeconds, signal: controller.signal });
  return { stream, world, controller, calls: () => call };
};

const actionEvent = (action: ActionEntity) => `event: action\ndata: ${JSON.stringify(action)}\n\n`;
const END = 'event: end\ndata: {}\n\n';
const events = (text: string) => () => new Response(text, { headers: { 'content-type': 'text/event-stream' } });
const hanging = (text: string) => () =>
  new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)) }), {
    headers: { 'content-type': 'text/event-stream' },
  });

const PENDING = sampleAction();
const RUNNING = sampleAction({ status: 'InProgress' });
const DONE = sampleAction({ status: 'Succeeded' });

test('semantics 27: every change is yielded, and the end ends', async () => {
  const { stream } = watch([events(actionEvent(PENDING) + actionEvent(RUNNING) + actionEvent(DONE) + END)]);
  const statuses: string[] = [];
  for await (const action of stream) statuses.push(action.status);
  expect(statuses).toEqual(['Pending', 'InProgress', 'Succeeded']);
});

test('a stream that is over before the end is opened again', async () => {
  const { stream, world, calls } = watch([events(actionEvent(RUNNING)), events(actionEvent(DONE) + END)]);
  expect((await stream.next()).value?.status).toBe('InProgress');
  const next = stream.next();
  await world.timerOf(250);
  world.advance(250);
  expect((await next).value?.status).toBe('Succeeded');
  expect((await stream.next()).done).toBe(true);
  expect(calls()).toBe(2);
});

test('a stream that falls silent is taken as dead and opened again', async () => {
  const { stream, world, calls } = watch([hanging(actionEvent(RUNNING)), events(actionEvent(DONE) + END)], 1000);
  await stream.next();
  const next = stream.next();
  await world.timerOf(90_000);
  world.advance(90_000);
  await world.timerOf(250);
  world.advance(250);
  expect((await next).value?.status).toBe('Succeeded');
  expect(calls()).toBe(2);
});

test('a stream that speaks now and then lives as long as it takes', async () => {
  let speak = (_: string) => {};
  const start = (controller: ReadableStreamDefaultController) => {
    speak = (text) => controller.enqueue(new TextEncoder().encode(text));
    speak(actionEvent(PENDING));
  };
  const { stream, world, calls } = watch([() => new Response(new ReadableStream({ start }))]);
  await stream.next();
  for (const state of [RUNNING, RUNNING, DONE]) {
    const next = stream.next();
    world.advance(60_000);
    speak(actionEvent(state));
    expect((await next).value?.status).toBe(state.status);
  }
  speak(END);
  expect((await stream.next()).done).toBe(true);
  expect(calls()).toBe(1);
});

test('each cut waits anew, and no longer than the first', async () => {
  const { stream, world, calls } = watch([events(actionEvent(RUNNING)), events(actionEvent(RUNNING)), events(END)]);
  await stream.next();
  for (const expected of [false, true]) {
    const next = stream.next();
    await world.timerOf(250, calls());
    world.advance(250);
    expect((await next).done).toBe(expected);
  }
});

test('an action that is not there is a failure at once', async () => {
  const { stream, calls } = watch([() => apiError(404, 'ResourceNotFound', 'Machine action was not found.')]);
  await expect(stream.next()).rejects.toMatchObject({ name: 'ApiFailure', code: 'ResourceNotFound' });
  expect(calls()).toBe(1);
});

test('a server that only fails is given up when patience is over', async () => {
  const { stream, world } = watch([() => apiError(500, 'InternalServerError', 'Broken.')], 1);
  const next = stream.next();
  await world.timerOf(250);
  world.advance(250);
  await world.timerOf(500);
  world.advance(500);
  await expect(next).rejects.toMatchObject({ name: 'ApiFailure', status: 500 });
});

test('whoever watches may stop, in the middle of a quiet stream', async () => {
  const { stream, controller } = watch([hanging(actionEvent(RUNNING))]);
  await stream.next();
  const next = stream.next();
  const reason = new Error('the analyst left');
  controller.abort(reason);
  await expect(next).rejects.toBe(reason);
});
