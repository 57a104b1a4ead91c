/** Devices that wait for approval, and devices whose right was taken back. */
import { afterEach, describe, expect, test } from 'bun:test';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { enrolKey, newKey, openSocket } from './raw-device.ts';
import { storeRows } from './store-rows.ts';

const servers: TestServer[] = [];
const newServer = async (...flags: string[]): Promise<TestServer> => {
  const server = await startTestServer(flags);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const COMMANDS = [{ type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] }];
const request = (server: TestServer, machineId: string) =>
  server.api.post(`/api/machines/${machineId}/runliveresponse`, { Commands: COMMANDS });
const machine = async (server: TestServer, id: string) => {
  const { enrolmentState, enrolmentStateReason, isOnline } = (await server.api.call(`/api/machines/${id}`)).json;
  return { enrolmentState, enrolmentStateReason, isOnline };
};
const action = async (server: TestServer, id: string) => (await server.api.call(`/api/machineactions/${id}`)).json;
const decide = (server: TestServer, id: string, decision: 'approve' | 'reject' | 'revoke', reason = '') =>
  server.admin.call('decideEnrolment', { machine: id, decision, reason });

describe('a revoked device', () => {
  test('is cut off at once: its actions end with the reason, its tickets are useless, its key is refused', async () => {
    const server = await newServer('--limit', 'queued-per-machine=2');
    const device = await server.device('lost-laptop');
    const { json: running } = await request(server, device.machineId);
    const offer = await device.takeOffer();
    await device.report({ kind: 'accepted', actionId: offer.actionId });
    const { json: waiting } = await request(server, device.machineId);
    const answer = await decide(server, 'lost-laptop', 'revoke', 'stolen in Lyon');
    expect(answer).toEqual({ machineId: device.machineId, state: 'Revoked', endedActions: 2 } as never);
    expect(await device.take('goodbye')).toMatchObject({
      reason: 'this device was revoked: stolen in Lyon',
      retryAfterSeconds: 3_600,
    });
    for (const { id } of [running, waiting]) {
      const ended = await action(server, id);
      expect([ended.status, ended.commands[0].errors]).toEqual(['Failed', ['its device was revoked: stolen in Lyon']]);
    }
    await expect(device.upload(offer, { index: 0, stream: 'file' }, 'late')).rejects.toThrow('403');
    await expect(device.connect()).rejects.toThrow('goodbye');
    const refused = await request(server, device.machineId);
    expect([refused.status, refused.json.error.code]).toEqual([403, 'DisallowedOperation']);
    expect(refused.json.error.message).toContain('was revoked: stolen in Lyon');
    const held = storeRows(server.dataFolder, 'select id from actions where holds_slot = 1');
    expect(held).toEqual([]);
  });

  test('stays revoked over a restart, and is in the audit', async () => {
    const server = await newServer();
    const key = await enrolKey(server.url, server.enrolToken);
    await decide(server, key.machineId, 'revoke', 'sold');
    await server.restart();
    const socket = await openSocket(server.url);
    socket.send(key.prove(socket.nonce));
    expect((await socket.frame('goodbye')).reason).toBe('this device was revoked: sold');
    for (const decision of ['approve', 'reject', 'revoke'] as const)
      await expect(decide(server, key.machineId, decision)).rejects.toThrow('was revoked: nothing was changed');
    expect(await machine(server, key.machineId)).toEqual({
      enrolmentState: 'Revoked',
      enrolmentStateReason: 'sold',
      isOnline: false,
    });
    expect(storeRows(server.dataFolder, "select actor, subject from audit where event = 'machine.Revoked'")).toEqual([
      { actor: 'local administrator', subject: key.machineId },
    ]);
    socket.close();
  });

  test('cannot enrol the same key again, by whatever token', async () => {
    const server = await newServer();
    const key = newKey();
    const body = JSON.stringify(key.enrolment(server.enrolToken));
    const ask = () => fetch(`${server.url}/agent/v1/enrol`, { method: 'POST', body });
    const { machineId } = JSON.parse(await (await ask()).text());
    expect((await ask()).status).toBe(200);
    await decide(server, machineId, 'revoke', 'sold');
    const refused = await ask();
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('was revoked: sold')]);
  });

  test('can come back with a new key and a token', async () => {
    const server = await newServer();
    const options = { server: server.url, enrolToken: server.enrolToken, name: 'again', place: 'here' };
    const first = await ScriptedDevice.enrol(options);
    await decide(server, first.machineId, 'revoke');
    const second = await ScriptedDevice.enrol(options);
    await second.connect();
    expect((await machine(server, second.machineId)).enrolmentState).toBe('Approved');
    await expect(first.connect()).rejects.toThrow('goodbye');
  });
});

describe('a device that waits for approval', () => {
  const waitingDevice = async (server: TestServer) => {
    const asked = { tags: [], maxUses: null, validHours: null, approval: true };
    const { token, id } = await server.admin.call('createEnrolToken', asked);
    const { tokens } = await server.admin.call('listEnrolTokens', {});
    expect(tokens.find((each) => each.id === id)?.approval).toBe(true);
    return ScriptedDevice.enrol({ server: server.url, enrolToken: token, name: 'newcomer' });
  };

  test('connects and is seen, gets nothing, and works once it is approved', async () => {
    const server = await newServer();
    const device = await waitingDevice(server);
    await device.connect();
    expect(await machine(server, device.machineId)).toEqual({
      enrolmentState: 'PendingApproval',
      enrolmentStateReason: null,
      isOnline: true,
    });
    const refused = await request(server, device.machineId);
    expect([refused.status, refused.json.error.code]).toEqual([403, 'DisallowedOperation']);
    expect(refused.json.error.message).toContain('waits for approval');
    const listed = await server.api.call(`/api/machines?$filter=enrolmentState eq 'PendingApproval'`);
    expect(listed.json.value.map(({ id }: { id: string }) => id)).toEqual([device.machineId]);
    expect(await decide(server, device.machineId, 'approve')).toMatchObject({ state: 'Approved', endedActions: 0 });
    expect((await request(server, device.machineId)).status).toBe(200);
    await device.takeOffer();
  });

  test('is sent away when it is rejected, and comes back when that is taken back', async () => {
    const server = await newServer();
    const device = await waitingDevice(server);
    await device.connect();
    await decide(server, device.machineId, 'reject', 'not ours');
    expect((await device.take('goodbye')).reason).toBe('this device was rejected: not ours');
    await expect(device.connect()).rejects.toThrow('goodbye');
    await decide(server, device.machineId, 'approve');
    await device.connect();
    expect(await machine(server, device.machineId)).toMatchObject({
      enrolmentState: 'Approved',
      enrolmentStateReason: null,
    });
  });
});

describe('a device whose state was copied', () => {
  const events = (server: TestServer) =>
    storeRows(server.dataFolder, "select event, detail from audit where event = 'machine.copied'") as {
      readonly detail: string;
    }[];

  test('on the same hardware is put in quarantine, both are named, and an administrator lets it go on', async () => {
    const server = await newServer();
    const device = await server.device('original');
    const waits = await request(server, device.machineId);
    const offer = await device.takeOffer();
    const copy = device.copy({ name: 'copy' });
    await copy.connect();
    await device.take('goodbye');
    await device.connect();
    await copy.connect();
    await device.connect([offer.actionId]);
    const seen = await machine(server, device.machineId);
    expect(seen.enrolmentState).toBe('Quarantined');
    expect(seen.enrolmentStateReason).toContain(
      'its key is used in two places: original (127.0.0.1) and copy (127.0.0.1)',
    );
    expect(events(server).length).toBe(1);
    // it is seen, and gets neither offers nor tickets, nor may it use those that it has
    expect([seen.isOnline, device.has('offer'), device.has('resume')]).toEqual([true, false, false]);
    await expect(device.upload(offer, { index: 0, stream: 'file' }, 'x')).rejects.toThrow('429');
    expect((await request(server, device.machineId)).json.error.code).toBe('DisallowedOperation');
    await copy.disconnect();
    await device.connect();
    await decide(server, device.machineId, 'approve', 'the copy was removed');
    expect((await device.takeOffer()).actionId).toBe(waits.json.id);
    await device.disconnect();
    await device.connect();
    expect((await machine(server, device.machineId)).enrolmentState).toBe('Approved');
  });

  test('on other hardware: the one that enrolled goes on, the copy is refused from then on', async () => {
    const server = await newServer();
    const device = await server.device('original');
    const copy = device.copy({ name: 'copy', hardware: 'another' });
    await copy.connect();
    await device.connect();
    await expect(copy.connect()).rejects.toThrow('a copy of its state was refused');
    await device.connect();
    const seen = await machine(server, device.machineId);
    expect(seen.enrolmentState).toBe('Approved');
    expect(seen.enrolmentStateReason).toContain('a copy of its state was refused: copy (127.0.0.1)');
    for (let times = 0; times < 2; times++) await expect(copy.connect()).rejects.toThrow('this is a copy of a device');
    expect((await request(server, device.machineId)).status).toBe(200);
    await device.takeOffer();
    expect(events(server).length).toBe(1);
  });

  test('is noticed as well when the copy comes back second', async () => {
    const server = await newServer();
    const device = await server.device('original');
    const copy = device.copy({ name: 'copy', hardware: 'another' });
    await device.connect();
    await copy.connect();
    await device.connect();
    await expect(copy.connect()).rejects.toThrow('this is a copy of a device');
    expect(events(server).length).toBe(1);
    expect((await machine(server, device.machineId)).enrolmentState).toBe('Approved');
  });

  test('is not the one that was restored from a backup', async () => {
    const server = await newServer();
    const device = await server.device('lone');
    const backup = device.copy({ name: 'lone' });
    for (let times = 0; times < 3; times++) await device.connect();
    await device.disconnect();
    for (let times = 0; times < 3; times++) await backup.copy({ name: 'lone' }).connect();
    expect(await machine(server, device.machineId)).toMatchObject({ enrolmentState: 'Approved', isOnline: true });
    expect(events(server)).toEqual([]);
  });
});

test('refused enrolments from one source are limited, and good ones are not counted', async () => {
  const server = await newServer();
  const ask = async () => fetch(`${server.url}/agent/v1/enrol`, { method: 'POST', body: '{}' });
  const statuses = new Set<number>();
  await server.absentDevice();
  for (let nth = 0; nth < 300; nth++) statuses.add((await ask()).status);
  expect([...statuses]).toEqual([400]);
  const answer = await ask();
  expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([429, true]);
});

test('approving what needs no approval says so', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  await expect(decide(server, device.machineId, 'approve')).rejects.toThrow('is approved: nothing was changed');
  await expect(decide(server, 'nobody', 'revoke')).rejects.toThrow('nobody was not found');
});
