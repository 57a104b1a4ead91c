/** One action in few steps (ADR 0027): claimed with its request, told in few reports, its small results within them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { INLINE_FILE_BYTES, INLINE_RESULT_BYTES } from '@longarm/contract/limits';
import type { ResultStream } from '@longarm/contract/result';
import type { InlineContent, UploadedResult } from '@longarm/contract/wire/to-server';
import type { Offered, ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { until } from '@longarm/testkit/until';
import { storeRows } from './store-rows.ts';

const SCRIPT = 'echo hi';
const RUN = { type: 'RunScript', params: [{ key: 'ScriptName', value: 's.sh' }] };
const sha256 = (content: string | Uint8Array) =>
  createHash('sha256').update(content).digest('hex') as UploadedResult['sha256'];

let server: TestServer;
let device: ScriptedDevice;
beforeAll(async () => {
  server = await startTestServer(['--limit', 'sessions=1000', '--limit', 'runs-per-minute=1000']);
  await server.api.upload('s.sh', SCRIPT);
});
afterAll(() => server.stop());
beforeEach(async () => {
  device = await server.device('host');
});

const request = async (): Promise<string> => {
  const { status, json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, {
    Commands: [RUN],
  });
  if (status !== 200) throw new Error(JSON.stringify(json));
  return String(json.id);
};

const said = (stream: ResultStream, content: string): UploadedResult => ({
  stream,
  sha256: sha256(content),
  sizeBytes: Buffer.byteLength(content),
  name: stream,
  cutBytes: 0,
});
const inline = (stream: ResultStream, content: string): InlineContent => ({
  stream,
  content: Buffer.from(content).toString('base64'),
});

/** A command that has finished with these outputs, and what comes with its report. */
const finished = (offer: Offered, outputs: Readonly<Record<'stdout' | 'stderr', string>>) => ({
  kind: 'command-finished' as const,
  actionId: offer.actionId,
  index: 0,
  outcome: 'Completed' as const,
  errors: [],
  exitCode: 0,
  results: [said('stdout', outputs.stdout), said('stderr', outputs.stderr)],
});

const taken = async (): Promise<Offered> => {
  await request();
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  return offer;
};

/** Tells a report again that the server could not take: under the number that it had. */
const tellAgain = async (sequence: number, fact: object, contents?: readonly InlineContent[]) => {
  device.send({ type: 'report', sequence, fact: { ...fact, at: 1 }, ...(contents === undefined ? {} : { contents }) });
  while ((await device.take('acknowledge')).sequence < sequence);
};

const commandOf = async (actionId: string) => (await server.api.call(`/api/machineactions/${actionId}`)).json;

describe('a request on a device that is here and free', () => {
  test('is claimed in the unit that accepts it, and says Pending', async () => {
    const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: [RUN] });
    expect(json).toMatchObject({ status: 'Pending' });
    const [row] = storeRows(server.dataFolder, 'select * from actions where id = ?', String(json.id));
    expect(row?.status).toBe('Pending');
    // its lease counts from the moment of the request itself
    expect(Number(row?.lease_until) - Number(row?.created_at)).toBe(30_000);
    expect(row?.holds_slot).toBe(1);
    expect((await device.takeOffer()).envelope).toBe(String(row?.envelope));
  });

  test('a device that is away gets it when it comes back', async () => {
    await device.disconnect();
    await until(
      () => server.api.call(`/api/machines/${device.machineId}`),
      ({ json }) => json.isOnline === false,
    );
    const id = await request();
    const [row] = storeRows(server.dataFolder, 'select * from actions where id = ?', id);
    expect([row?.lease_until, row?.envelope, row?.holds_slot]).toEqual([null, null, 0]);
    await device.connect();
    expect((await device.takeOffer()).actionId as string).toBe(id);
  });
});

describe('small results', () => {
  test('come with the report of their command, and are downloaded like all others', async () => {
    const offer = await taken();
    const outputs = { stdout: 'said', stderr: '' };
    await device.report(finished(offer, outputs), [inline('stdout', 'said'), inline('stderr', '')]);
    expect(await commandOf(offer.actionId)).toMatchObject({ status: 'Succeeded' });
    const result = await server.api.download(offer.actionId, 0);
    expect(await result.json()).toEqual({
      script_name: 's.sh',
      exit_code: 0,
      script_output: 'said',
      script_errors: '',
    });
    const raw = await server.api.download(offer.actionId, 0, '&raw=1&stream=stdout');
    expect(await raw.text()).toBe('said');
  });

  test('a range of one is that range', async () => {
    const offer = await taken();
    await device.report(finished(offer, { stdout: '0123456789', stderr: '' }), [
      inline('stdout', '0123456789'),
      inline('stderr', ''),
    ]);
    const whole = await server.api.download(offer.actionId, 0, '&raw=1&stream=stdout');
    await whole.body?.cancel();
    const part = await fetch(whole.url, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text()]).toEqual([206, '234']);
  });

  const wrong: Readonly<Record<string, readonly InlineContent[]>> = {
    'other bytes than it says': [inline('stdout', 'lied'), inline('stderr', '')],
    'no base64': [{ stream: 'stdout', content: '!!!!' }, inline('stderr', '')],
    'another stream': [inline('file', 'said'), inline('stderr', '')],
    nothing: [inline('stderr', '')],
  };
  for (const [name, contents] of Object.entries(wrong))
    test(`${name} with the report: the device is asked to upload it`, async () => {
      const offer = await taken();
      const fact = finished(offer, { stdout: 'said', stderr: '' });
      const sequence = device.tell(fact, contents);
      expect((await device.take('missing-uploads')).streams).toEqual(['stdout']);
      expect(await commandOf(offer.actionId)).toMatchObject({ status: 'InProgress' });
      await device.upload(offer, { index: 0, stream: 'stdout' }, 'said');
      await device.upload(offer, { index: 0, stream: 'stderr' }, '');
      await tellAgain(sequence, fact);
      expect(await (await server.api.download(offer.actionId, 0)).json()).toMatchObject({ script_output: 'said' });
    });

  test('as long as the bound allows together, and not one byte more', async () => {
    const half = 'x'.repeat(INLINE_RESULT_BYTES / 2);
    const offer = await taken();
    await device.report(finished(offer, { stdout: half, stderr: half }), [
      inline('stdout', half),
      inline('stderr', half),
    ]);
    await device.report({ kind: 'action-ended', actionId: offer.actionId, how: 'done' });
    const more = `${half}x`;
    const next = await taken();
    device.tell(finished(next, { stdout: half, stderr: more }), [inline('stdout', half), inline('stderr', more)]);
    expect((await device.take('missing-uploads')).streams).toEqual(['stdout', 'stderr']);
  });

  test('an upload that was begun before makes way for what comes with the report', async () => {
    const offer = await taken();
    await device.upload(offer, { index: 0, stream: 'stdout' }, 'half of what it sai');
    await device.report(finished(offer, { stdout: 'said', stderr: '' }), [
      inline('stdout', 'said'),
      inline('stderr', ''),
    ]);
    expect(await (await server.api.download(offer.actionId, 0)).json()).toMatchObject({ script_output: 'said' });
  });

  test('told twice, they are kept once, and the first counts', async () => {
    const offer = await taken();
    await device.report(finished(offer, { stdout: 'first', stderr: '' }), [
      inline('stdout', 'first'),
      inline('stderr', ''),
    ]);
    await device.report(finished(offer, { stdout: 'second', stderr: '' }), [
      inline('stdout', 'second'),
      inline('stderr', ''),
    ]);
    expect(await (await server.api.download(offer.actionId, 0)).json()).toMatchObject({ script_output: 'first' });
  });

  test('of a command that there is not are not kept', async () => {
    const offer = await taken();
    const fact = { ...finished(offer, { stdout: 'nobody asked', stderr: '' }), index: 7 };
    await device.report(fact, [inline('stdout', 'nobody asked'), inline('stderr', '')]);
    const kept = 'select idx from results where action_id = ?';
    expect(storeRows(server.dataFolder, kept, offer.actionId)).toEqual([]);
    const content = 'select sha256 from small_blobs where sha256 = ?';
    expect(storeRows(server.dataFolder, content, sha256('nobody asked'))).toEqual([]);
  });

  test('of a cancelled action are kept as evidence', async () => {
    const offer = await taken();
    await device.report({ kind: 'command-started', actionId: offer.actionId, index: 0 });
    await server.api.post(`/api/machineactions/${offer.actionId}/cancel`, { Comment: 'enough' });
    const fact = {
      ...finished(offer, { stdout: 'so far', stderr: '' }),
      outcome: 'Failed' as const,
      errors: ['cancelled'],
    };
    await device.report(fact, [inline('stdout', 'so far'), inline('stderr', '')]);
    expect(await commandOf(offer.actionId)).toMatchObject({ status: 'Cancelled' });
    expect(await (await server.api.download(offer.actionId, 0)).json()).toMatchObject({ script_output: 'so far' });
  });
});

describe('what a device tells together', () => {
  test('is recorded in its order, each fact with its entry in the audit', async () => {
    const id = await request();
    const offer = await device.takeOffer();
    const { actionId } = offer;
    device.tell({ kind: 'accepted', actionId });
    device.tell({ kind: 'command-started', actionId, index: 0 });
    device.tell(finished(offer, { stdout: 'a', stderr: '' }), [inline('stdout', 'a'), inline('stderr', '')]);
    await device.report({ kind: 'action-ended', actionId, how: 'done' });
    expect(await commandOf(id)).toMatchObject({ status: 'Succeeded', commands: [{ commandStatus: 'Completed' }] });
    const entries = storeRows(server.dataFolder, 'select event from audit where subject = ? order by seq', id);
    expect(entries.map(({ event }) => event)).toEqual([
      'action.requested',
      'action.InProgress',
      'action.command-started',
      'action.Succeeded',
    ]);
  });

  test('ends at the first that lacks its uploads: what came after it waits, and is told again', async () => {
    const id = await request();
    const offer = await device.takeOffer();
    const { actionId } = offer;
    const fact = finished(offer, { stdout: 'a', stderr: '' });
    device.tell({ kind: 'accepted', actionId });
    device.tell({ kind: 'command-started', actionId, index: 0 });
    const sequence = device.tell(fact);
    const end = { kind: 'action-ended', actionId, how: 'done' } as const;
    device.tell(end);
    await device.take('missing-uploads');
    expect(await commandOf(id)).toMatchObject({ status: 'InProgress', commands: [{ commandStatus: 'Executing' }] });
    await tellAgain(sequence, fact, [inline('stdout', 'a'), inline('stderr', '')]);
    await tellAgain(sequence + 1, end);
    expect(await commandOf(id)).toMatchObject({ status: 'Succeeded' });
  });
});

describe('library files', () => {
  const offeredFiles = async () => {
    await request();
    const { files, actionId } = await device.take('offer');
    await device.report({ kind: 'refused', actionId, reason: 'only looking' });
    return files;
  };
  test('that are small come with the offer', async () => {
    // the first offer may go out before the file was read
    await offeredFiles();
    const files = await until(offeredFiles, (offered) => offered !== undefined);
    expect(files).toEqual([{ sha256: sha256(SCRIPT), content: Buffer.from(SCRIPT).toString('base64') }]);
  });
  test('that are larger than the bound never do', async () => {
    await server.api.upload('s.sh', '#'.repeat(INLINE_FILE_BYTES + 1), { OverrideIfExists: 'true' });
    for (let time = 0; time < 3; time++) expect(await offeredFiles()).toBeUndefined();
    await server.api.upload('s.sh', SCRIPT, { OverrideIfExists: 'true' });
  });
});
