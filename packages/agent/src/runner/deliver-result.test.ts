import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionId } from '@longarm/contract/ids';
import { stopper } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { type RunnerWorld, runnerWorld } from '../../test/runner-world.ts';
import { ordered, payloadOf, sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { deliverResult } from './deliver-result.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: RunnerWorld;
let actionId: ActionId;
let renewals: number;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  renewals = 0;
  io = runnerWorld(folder.path, server, { renew: () => renewals++ });
  const payload = payloadOf([ordered({ type: 'GetFile', path: '/x' })]);
  ({ actionId } = payload);
  io.journal.take({ payload, ticket: 'first', bootId: 'b' }, { kind: 'accepted', actionId, at: 1 });
  writeFileSync(spool(), 'output');
});
afterEach(async () => {
  io.journal.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const spool = () => join(folder.path, 'spooled');
const result = { stream: 'stdout', sha256: sha256Of('output'), sizeBytes: 6, name: 'stdout', cutBytes: 0 } as const;

const deliver = (stop = stopper().signal, kept: { readonly content?: string } = {}) =>
  deliverResult(io.commands.transfer, io.tickets, (path) => open(path, 'r'))({
    actionId,
    index: 0,
    result,
    source: { stream: 'stdout', path: spool(), isSpool: true, ...kept },
    stop,
  });

test('the bytes arrive under the action’s ticket', async () => {
  const tickets: (string | null)[] = [];
  server.settings.intercept = (request) => {
    tickets.push(request.headers.get('authorization'));
    return null;
  };
  expect(await deliver()).toEqual({ kind: 'delivered' });
  expect(server.upload(actionId, 0, 'stdout')).toBe('output');
  expect(new Set(tickets)).toEqual(new Set(['Bearer first']));
});

test('bytes that have gone, or are others now, can never be delivered', async () => {
  writeFileSync(spool(), 'OUTPUT');
  expect(await deliver()).toMatchObject({ kind: 'impossible', sentence: expect.stringContaining('changed') });
  writeFileSync(spool(), 'out');
  expect(await deliver()).toMatchObject({ kind: 'impossible', sentence: expect.stringContaining('got 3') });
  rmSync(spool());
  expect(await deliver()).toMatchObject({ kind: 'impossible', sentence: expect.stringContaining('any more') });
});

test('bytes that the journal keeps arrive without their file', async () => {
  rmSync(spool());
  const content = Buffer.from('output').toString('base64');
  expect(await deliver(stopper().signal, { content })).toEqual({ kind: 'delivered' });
  expect(server.upload(actionId, 0, 'stdout')).toBe('output');
});

test('a ticket that is refused asks for a new connection once, and its successor is used', async () => {
  server.settings.intercept = (request) =>
    request.headers.get('authorization') === 'Bearer first' ? new Response(null, { status: 401 }) : null;
  const ending = deliver();
  await until('a renewal', () => renewals === 1);
  io.journal.note({ kind: 'ticket', actionId, ticket: 'second' });
  expect(await ending).toEqual({ kind: 'delivered' });
  expect(renewals).toBe(1);
});

test('a ticket that came while an older one was being refused is not blamed', async () => {
  /** Refuses this ticket, and gives the next one before the answer is there. */
  const refusing = (refused: string, next: string) => {
    server.settings.intercept = (request) => {
      if (request.headers.get('authorization') !== `Bearer ${refused}`) return null;
      io.journal.note({ kind: 'ticket', actionId, ticket: next });
      return new Response(null, { status: 401 });
    };
  };
  refusing('first', 'second');
  expect(await deliver()).toEqual({ kind: 'delivered' });
  expect(renewals).toBe(1);
  // the same one is refused again: that is no news, whatever came meanwhile
  io.journal.note({ kind: 'ticket', actionId, ticket: 'first' });
  refusing('first', 'third');
  expect(await deliver()).toEqual({ kind: 'delivered' });
  expect(renewals).toBe(1);
});

test('a server that refuses every fresh ticket is not asked for ever', async () => {
  server.settings.intercept = () => new Response(null, { status: 401 });
  for (const ticket of ['first', 'second', 'third']) {
    io.journal.note({ kind: 'ticket', actionId, ticket });
    const { signal, stop } = stopper();
    const before = renewals;
    const ending = deliver(signal);
    await until('a renewal', () => renewals > before);
    stop('cancelled');
    expect(await ending).toEqual({ kind: 'stopped' });
  }
  io.journal.note({ kind: 'ticket', actionId, ticket: 'fourth' });
  expect(await deliver()).toMatchObject({ kind: 'impossible', sentence: expect.stringContaining('no ticket') });
});
