/** A device's key is followed by another under the same id (semantics 25), and by nothing that the earlier one did not certify. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

let count = 0;
const newDevice = async (proves: object = { renewsKey: true }): Promise<ScriptedDevice> => {
  const device = await ScriptedDevice.enrol({
    server: server.url,
    enrolToken: server.enrolToken,
    name: `host${++count}`,
    proves,
  });
  await device.connect();
  return device;
};
const want = (device: ScriptedDevice) => server.admin.call('wantKey', { machine: device.machineId });
const asked = async (device: ScriptedDevice): Promise<string> => {
  expect(await want(device)).toMatchObject({ isAsked: true });
  return (await device.take('renew-key')).nonce;
};
const auditOf = async (device: ScriptedDevice) =>
  (await server.admin.call('readAudit', { after: 0 })).entries.filter(({ subject }) => subject === device.machineId);
const rotate = async (device: ScriptedDevice): Promise<void> => {
  device.send(device.newKey(await asked(device)));
  await device.take('key-kept');
  device.adoptKey();
};
const thumbprint = (publicKey: string) =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex');

test('semantics 25: the id stays, the later key is certified by the earlier one, and that is refused from then on', async () => {
  const device = await newDevice();
  const old = device.copy({ name: 'with the old key' });
  const frame = device.newKey(await asked(device));
  device.send(frame);
  const { receipt } = await device.take('key-kept');
  const said = JSON.parse(Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString());
  expect(said).toMatchObject({ machineId: device.machineId, publicKey: frame.publicKey, number: 2 });
  const entries = await auditOf(device);
  expect(entries.map(({ event }) => event)).toEqual(['machine.enrolled', 'machine.key-wanted', 'machine.key-rotated']);
  const detail = JSON.parse(entries.at(-1)?.detail ?? '');
  expect(detail).toMatchObject({ number: 2, key: thumbprint(frame.publicKey) });
  expect(detail.former).toMatch(/^[0-9a-f]{64}$/);
  // the same connection goes on; another one proves with the new key
  device.adoptKey();
  await device.disconnect();
  await device.connect();
  await expect(old.connect()).rejects.toThrow('this key was followed by another');
  expect(device.has('renew-key')).toBe(false);
  const { json } = await server.api.call(`/api/machines/${device.machineId}`);
  expect(json).toMatchObject({ id: device.machineId, isOnline: true, enrolmentState: 'Approved' });
});

test('a device that is away is asked when it comes back; one that understands none is not', async () => {
  const device = await newDevice();
  await device.disconnect();
  await expect(want(device)).resolves.toMatchObject({ isAsked: false });
  await device.connect();
  const { nonce } = await device.take('renew-key');
  device.send(device.newKey(nonce));
  await device.take('key-kept');
  const older = await newDevice({});
  expect(await want(older)).toMatchObject({ isAsked: false });
  await older.disconnect();
  await older.connect();
  expect(older.has('renew-key')).toBe(false);
});

test('a device asks by itself, and is asked once until it has answered', async () => {
  const device = await newDevice();
  device.send({ type: 'key-wanted' });
  const { nonce } = await device.take('renew-key');
  device.send({ type: 'key-wanted' });
  expect(await want(device)).toMatchObject({ isAsked: true });
  device.send(device.newKey(nonce));
  await device.take('key-kept');
  expect(device.has('renew-key')).toBe(false);
});

test('an answer that was lost is given with the next connection, which proves with both keys', async () => {
  const device = await newDevice();
  const { publicKey, ...frame } = device.newKey(await asked(device));
  device.send({ ...frame, publicKey });
  await device.take('key-kept');
  await device.disconnect();
  // it did not hear: so it proves with the former and the next one
  await device.connect();
  const { receipt } = await device.take('key-kept');
  expect(Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString()).toContain(publicKey);
  device.adoptKey();
  await device.disconnect();
  await device.connect();
  // and one whose next key was never stored is let in by the one in force
  const other = await newDevice();
  other.newKey(await asked(other));
  await other.disconnect();
  await other.connect();
  await other.take('renew-key');
  expect(other.has('key-kept')).toBe(false);
});

const stranger = generateKeyPairSync('ed25519');
type Lie = Parameters<ScriptedDevice['newKey']>[1];
describe('what is not certified by the key in force, for here and now, changes nothing', () => {
  test.each<readonly [string, Lie, RegExp]>([
    ['certified by a stranger', { certifier: stranger.privateKey }, /not certified by the one in force/],
    ['certified by itself', { next: stranger, certifier: stranger.privateKey }, /not certified/],
    ['a key that somebody else holds', { prover: stranger.privateKey }, /not proven to be held/],
    ['of another server', { claim: { audience: 'another' } }, /not certified/],
    ['of another machine', { claim: { machineId: 'ab'.repeat(20) } }, /not certified/],
    ['over another nonce', { claim: { nonce: 'of another connection' } }, /not certified/],
    ['of another former key', { claim: { formerKey: 'A'.repeat(43) } }, /not certified/],
    ['a number that was', { claim: { number: 3 } }, /expected key number 2/],
    ['of an hour ago', { claim: { at: Date.now() - 3_600_000 } }, /not of now/],
    ['of tomorrow', { claim: { at: Date.now() + 86_400_000 } }, /not of now/],
  ])('%s', async (_, lie, reason) => {
    const device = await newDevice();
    device.send(device.newKey(await asked(device), lie));
    expect((await device.take('goodbye')).reason).toMatch(reason);
    device.dropNextKey();
    await device.connect();
    expect((await auditOf(device)).map(({ event }) => event)).not.toContain('machine.key-rotated');
  });

  test('the key in force itself', async () => {
    const device = await newDevice();
    const frame = device.newKey(await asked(device));
    device.send(frame);
    await device.take('key-kept');
    device.adoptKey();
    const nonce = await asked(device);
    device.send(device.newKey(nonce, { claim: { number: 3, publicKey: frame.publicKey } }));
    expect((await device.take('goodbye')).reason).toContain('expected another key');
  });

  test('a certification that was used before, shown again with and without a question for one', async () => {
    const device = await newDevice();
    const frame = device.newKey(await asked(device));
    device.send(frame);
    await device.take('key-kept');
    device.adoptKey();
    device.send(frame);
    expect((await device.take('goodbye')).reason).toContain('expected to be asked');
    await device.connect();
    await asked(device);
    device.send(frame);
    expect((await device.take('goodbye')).reason).toContain('expected key number 3');
    await device.connect();
  });

  test('a certification for a connection that is over', async () => {
    const device = await newDevice();
    const frame = device.newKey(await asked(device));
    await device.disconnect();
    device.dropNextKey();
    await device.connect();
    await device.take('renew-key');
    device.send(frame);
    expect((await device.take('goodbye')).reason).toContain('not certified');
  });

  test('before any proof', async () => {
    const device = await newDevice();
    const frames = [device.newKey('nonce'), { type: 'key-wanted' }];
    for (const said of frames) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/agent/v1/connect`);
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(String(data));
        if (frame.type === 'hello') socket.send(JSON.stringify(said));
        if (frame.type === 'goodbye') resolve(frame.reason);
      };
      expect(await promise).toMatch(/expected (to be asked before any new key|a proof before any key)/);
      socket.close();
    }
  });
});

test('who may not work keeps its key', async () => {
  const device = await newDevice();
  await asked(device);
  await server.admin.call('decideEnrolment', { machine: device.machineId, decision: 'revoke', reason: 'stolen' });
  expect((await device.take('goodbye')).reason).toContain('was revoked');
  await expect(want(device)).rejects.toThrow('was revoked: its key stays');
  await expect(device.connect()).rejects.toThrow('was revoked');
  const { token } = await server.admin.call('createEnrolToken', {
    tags: [],
    maxUses: 1,
    validHours: null,
    approval: true,
  });
  const options = { server: server.url, enrolToken: token, name: 'waits', proves: { renewsKey: true } };
  const waiting = await ScriptedDevice.enrol(options);
  await waiting.connect();
  waiting.send({ type: 'key-wanted' });
  waiting.send({ type: 'heartbeat' });
  await waiting.take('heartbeat');
  await expect(want(waiting)).rejects.toThrow('waits for approval');
  expect(waiting.has('renew-key')).toBe(false);
});

test('a copy of the state is noticed as ever after the key has changed', async () => {
  const device = await newDevice();
  await rotate(device);
  await device.disconnect();
  await device.connect();
  const copy = device.copy({ name: 'copy' });
  const state = async () => (await server.api.call(`/api/machines/${device.machineId}`)).json.enrolmentState;
  for (let times = 0; times < 3 && (await state()) === 'Approved'; times++) {
    for (const one of [copy, device]) {
      await one.connect();
      await one.disconnect();
    }
  }
  expect(await state()).toBe('Quarantined');
});
