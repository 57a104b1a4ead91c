/** What a script says, seen while it says it: real server, agent and scripts as processes. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEvents } from '@longarm/client/event-stream';
import { cutNotice } from '@longarm/contract/cut-output';
import type { Json } from '@longarm/testkit/api-caller';
import { getFile, isFinal, openSite, runScript, type TestAgent, type TestSite } from '@longarm/testkit/test-site';

setDefaultTimeout(60_000);

const MIB = 1_048_576;

let site: TestSite;
let agent: TestAgent;
let folder: string;

beforeAll(async () => {
  site = await openSite();
  agent = await site.agent();
  folder = await mkdtemp(join(tmpdir(), 'longarm-watch-'));
  await site.api.upload(
    'steps.sh',
    '#!/bin/sh\nprintf "first é"; echo oops >&2\nuntil [ -e "$1" ]; do sleep 0.02; done\nprintf " second"\n',
  );
});
afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

const pathOf = (id: string, index = 0) => `/api/machineactions/${id}/commands/${index}/output`;

type Seen = { stdout: string; stderr: string; jumps: number; lastId: string; isEnded: boolean };

/** Watches until the text shows, or the end; `from` goes on where another has stopped. */
const watch = async (id: string, until: string | null, lastEventId: string | null = null): Promise<Seen> => {
  const response = await fetch(site.url + pathOf(id), {
    headers: { authorization: `Bearer ${site.api.token}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
  });
  expect(response.status).toBe(200);
  const [stdoutAt, stderrAt] = (lastEventId ?? '0-0').split('-').map(Number);
  const next: Record<string, number> = { stdout: stdoutAt ?? 0, stderr: stderrAt ?? 0 };
  const seen: Seen = { stdout: '', stderr: '', jumps: 0, lastId: lastEventId ?? '0-0', isEnded: false };
  if (response.body === null) throw new Error('expected a body');
  for await (const event of readEvents(response.body)) {
    if (event === null) continue;
    seen.lastId = event.id || seen.lastId;
    if (event.event === 'end') return { ...seen, isEnded: true };
    const { stream, offset, text } = JSON.parse(event.data);
    if (offset !== next[stream]) seen.jumps++;
    expect(offset).toBeGreaterThanOrEqual(next[stream] ?? 0);
    next[stream] = offset + Buffer.byteLength(text);
    if (stream === 'stdout') seen.stdout += text;
    else seen.stderr += text;
    if (until !== null && seen.stdout.includes(until) && seen.stderr !== '') return seen;
  }
  return seen;
};

const request = async (name: string, args: string): Promise<string> => {
  const { status, json, text } = await site.run(agent.machineId, [runScript(name, args)]);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return json.id;
};

test('both pieces are seen before the end, by two watchers; one that comes again misses nothing, and repeats nothing', async () => {
  const gate = join(folder, 'gate');
  const id = await request('steps.sh', gate);
  const [early, other] = await Promise.all([watch(id, 'é'), watch(id, 'é')]);
  expect(early).toMatchObject({ stdout: 'first é', stderr: 'oops\n', isEnded: false, lastId: '8-5' });
  expect(other).toMatchObject({ stdout: 'first é', isEnded: false });
  expect((await site.action(id)).commands[0].commandStatus).toBe('Executing');
  const rest = watch(id, null, early.lastId);
  await writeFile(gate, '');
  expect(await rest).toMatchObject({ stdout: ' second', stderr: '', jumps: 0, isEnded: true });
  const late = await watch(id, null);
  expect(late).toMatchObject({ stdout: 'first é second', stderr: 'oops\n', jumps: 0, isEnded: true, lastId: '15-5' });
  expect(await watch(id, null, late.lastId)).toMatchObject({ stdout: '', stderr: '', isEnded: true });
  await site.until(id, isFinal);
});

test('a server that was killed in between: the watch goes on where it was', async () => {
  const gate = join(folder, 'gate-2');
  const id = await request('steps.sh', gate);
  const early = await watch(id, 'é');
  await site.crashServer();
  const rest = watch(id, null, early.lastId);
  await writeFile(gate, '');
  expect(await rest).toMatchObject({ stdout: ' second', stderr: '', jumps: 0, isEnded: true });
  await site.until(id, isFinal);
});

test('a watch that waits for a device sees it come back', async () => {
  const gate = join(folder, 'gate-3');
  await agent.kill();
  const id = await request('steps.sh', gate);
  const whole = watch(id, null);
  await writeFile(gate, '');
  await agent.start();
  expect(await whole).toMatchObject({ stdout: 'first é second', stderr: 'oops\n', isEnded: true });
  await site.until(id, isFinal);
});

test('what cannot be watched is refused in a sentence', async () => {
  const id = (await site.run(agent.machineId, [getFile('/etc/hostname')])).json.id;
  await site.until(id, isFinal);
  const refused = async (path: string, lastEventId = '0-0') => {
    const { status, json } = await site.api.call(path, { headers: { 'last-event-id': lastEventId } });
    return [status, json.error.message];
  };
  expect(await refused(pathOf(id))).toEqual([404, 'Command 0 is a GetFile: only a RunScript has output.']);
  expect((await refused(pathOf(id, 1)))[0]).toBe(404);
  expect((await refused(pathOf(crypto.randomUUID())))[0]).toBe(404);
  const script = await request('steps.sh', '/etc/hostname');
  await site.until(script, isFinal);
  expect(await refused(pathOf(script), 'x')).toEqual([400, 'Expected Last-Event-ID as <stdout>-<stderr>, got "x".']);
});

/** A watcher that does not read until it is told to; then all that it gets until the end. */
const lazyWatcher = async (id: string) => {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1');
  socket.pause();
  socket.write(
    `GET ${pathOf(id)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${site.api.token}\r\nConnection: close\r\n\r\n`,
  );
  return async (): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of socket) {
      chunks.push(chunk);
      if (chunk.includes('event: end')) break;
    }
    return Buffer.concat(chunks).toString('latin1');
  };
};

/** Resident bytes, from /proc (proc(5)). */
const residentBytes = async (pid: number): Promise<number> =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;

test('a flood and a watcher who does not read: memory stays bounded, the result is whole, and so is what he reads at last', async () => {
  await site.api.upload('flood.sh', `#!/bin/sh\nhead -c ${50 * MIB} /dev/zero | tr '\\0' '#'\n`);
  // what a first flood costs has nothing to do with watching
  await site.until(await request('flood.sh', ''), isFinal, 40_000);
  const pids = [site.server().pid, agent.program().pid];
  const idle = await Promise.all(pids.map(residentBytes));
  const peaks = [...idle];
  const id = await request('flood.sh', '');
  const readAll = await lazyWatcher(id);
  const look = async (action: Json): Promise<boolean> => {
    for (const [place, pid] of pids.entries()) peaks[place] = Math.max(peaks[place] ?? 0, await residentBytes(pid));
    return isFinal(action);
  };
  let ended = await site.action(id);
  while (!(await look(ended))) ended = await site.action(id);
  // the watcher is served from what is stored by now, and still does not read
  for (let time = 0; time < 20; time++) await look(await site.action(id));
  expect(ended.commands[0].results).toContainEqual(expect.objectContaining({ stream: 'stdout', sizeBytes: 50 * MIB }));
  for (const [place, peak] of peaks.entries()) expect(peak - (idle[place] ?? 0)).toBeLessThan(60 * MIB);
  const text = await readAll();
  expect(text.split('#').length - 1).toBe(50 * MIB);
});

test('past the limit head and tail are kept, and the hole is seen as a jump', async () => {
  const small = await openSite(['--limit', 'output-mib=0.001']);
  try {
    const device = await small.agent();
    await small.api.upload('long.sh', '#!/bin/sh\nprintf begin; head -c 9000 /dev/zero | tr "\\0" "-"; printf end\n');
    const { json } = await small.run(device.machineId, [runScript('long.sh')]);
    const ended = await small.until(json.id, isFinal);
    expect(ended.commands[0].errors[0]).toStartWith('stdout: 7960 bytes in its middle were let go');
    const stored = await (await small.api.download(json.id, 0, '&raw=1&stream=stdout')).text();
    expect(stored).toBe(`begin${'-'.repeat(519)}${cutNotice(7_960)}${'-'.repeat(521)}end`);
    const events = (await small.api.call(pathOf(json.id))).text;
    const pieces = [...events.matchAll(/data: (\{"stream".*)/g)].map(([, data]) => JSON.parse(data ?? ''));
    expect(pieces.map(({ offset, text }) => [offset, text.length])).toEqual([
      [0, 524],
      [8_484, 524],
    ]);
  } finally {
    await small.close();
  }
});
