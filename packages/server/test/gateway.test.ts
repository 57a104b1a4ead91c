/** The gateway against devices that are wrong, hostile or gone, over real sockets (semantics 4, 25, 31). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { FRAME_EXCESS_BYTES, FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { AGENT_PATHS, connectProofText } from '@longarm/contract/wire/protocol';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { enrolKey, newKey, openSocket } from './raw-device.ts';
import { snapshot } from './store-rows.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';
const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
const accepted = (actionId: string) => ({
  type: 'report',
  sequence: 1,
  fact: { kind: 'accepted', actionId, at: 1 },
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
const others: TestServer[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
});

/** A device of its own, connected and welcomed. */
const connected = async () => {
  const key = await enrolKey(server.url, server.enrolToken);
  const socket = await openSocket(server.url);
  socket.send(key.prove(socket.nonce));
  await socket.frame('welcome');
  return { key, socket };
};
const isUp = async () => {
  const device = await server.device('after');
  await device.disconnect();
};

describe('before any proof', () => {
  const messages: Readonly<Record<string, readonly [string | Uint8Array<ArrayBuffer> | object, string]>> = {
    rubbish: ['rubbish', 'expected JSON'],
    nothing: ['', 'expected JSON'],
    'a binary frame': [new TextEncoder().encode('{"type":"heartbeat"}'), 'expected a text frame'],
    'JSON that is no frame': ['[]', 'frame:'],
    'nesting without end': ['['.repeat(100_000), 'at most 16 lists'],
    'an unknown type': [{ type: 'reboot' }, 'frame: type'],
    'a frame of the other direction': [{ type: 'welcome', serverTime: 1, heartbeatSeconds: 1 }, 'frame: type'],
    'a frame with something besides': [{ type: 'heartbeat', extra: 1 }, 'Unrecognized key'],
    'a frame as long as may be': [' '.repeat(FRAME_TO_SERVER_BYTES), 'expected JSON'],
    'a report': [accepted(NO_ID), 'expected a proof before any report'],
    'a heartbeat': [{ type: 'heartbeat' }, 'expected a proof'],
    'a proof without a machine': [{ type: 'prove', protocol: 1 }, 'frame: machineId'],
  };
  for (const [name, [message, says]] of Object.entries(messages)) {
    test(`${name} is answered with goodbye, and closed`, async () => {
      const before = snapshot(server.dataFolder);
      const socket = await openSocket(server.url);
      socket.send(message);
      expect((await socket.frame('goodbye')).reason).toContain(says);
      await socket.closed();
      expect(snapshot(server.dataFolder)).toBe(before);
      await isUp();
    });
  }

  test('a frame that is too long by a little is answered with goodbye, unparsed; one by more is not taken in', async () => {
    for (const excess of [1, FRAME_EXCESS_BYTES]) {
      const socket = await openSocket(server.url);
      socket.send('['.repeat(FRAME_TO_SERVER_BYTES + excess));
      expect((await socket.frame('goodbye')).reason).toBe('expected at most 262144 bytes in a frame, got more');
      expect(await socket.closed()).toBe(1000);
    }
    const socket = await openSocket(server.url);
    socket.send('['.repeat(FRAME_TO_SERVER_BYTES + FRAME_EXCESS_BYTES + 1));
    expect(await socket.closed()).toBe(1009);
    expect(socket.frames.map(({ type }) => type)).toEqual(['hello']);
    await isUp();
  });

  test('a plain request to the socket’s path is no connection', async () => {
    const response = await fetch(server.url + AGENT_PATHS.connect);
    expect(response.status).toBe(404);
    expect(JSON.parse(await response.text()).error.code).toBe('NotFound');
  });
});

describe('a wrong proof', () => {
  const refused = async (frame: object, nonce?: (nonce: string) => void) => {
    const socket = await openSocket(server.url);
    nonce?.(socket.nonce);
    socket.send(frame);
    const goodbye = await socket.frame('goodbye');
    await socket.closed();
    expect(socket.frames.map(({ type }) => type)).toEqual(['hello', 'goodbye']);
    return goodbye;
  };
  const STRANGER = 'not enrolled here, or its key is another one';

  test('is sent away for minutes: another nonce, key, machine, audience, protocol', async () => {
    const [key, other] = [await enrolKey(server.url, server.enrolToken), await enrolKey(server.url, server.enrolToken)];
    const socket = await openSocket(server.url);
    const { nonce } = socket;
    const wrong = connectProofText({ nonce, machineId: key.machineId, audience: 'another server' });
    const frames = {
      'another connection’s nonce': key.prove(nonce),
      'another’s signature': { ...other.prove(nonce), machineId: key.machineId },
      'a machine that is not here': key.prove(nonce, { machineId: '0'.repeat(40) }),
      'another audience': key.prove(nonce, { proof: key.signText(wrong) }),
      'no signature': key.prove(nonce, { proof: '' }),
    };
    for (const [name, frame] of Object.entries(frames)) {
      const { reason, retryAfterSeconds } = await refused(frame);
      expect([name, reason.includes(STRANGER), retryAfterSeconds]).toEqual([name, true, 300]);
    }
    expect((await refused(key.prove(nonce, { protocol: 2 }))).reason).toContain('protocol 2 is not spoken here');
    socket.send(key.prove(nonce));
    expect((await socket.frame('welcome')).heartbeatSeconds).toBe(30);
    socket.close();
  });

  test('of a machine that was replaced says by whom', async () => {
    const { ScriptedDevice } = await import('@longarm/testkit/scripted-device');
    const options = { server: server.url, enrolToken: server.enrolToken, name: 'moved', place: 'one place' };
    const old = await ScriptedDevice.enrol(options);
    const fresh = await ScriptedDevice.enrol(options);
    // its welcome never comes
    old.connect().catch(() => undefined);
    expect((await old.take('goodbye')).reason).toContain(`replaced by ${fresh.machineId}`);
  });

  test('nonces are never the same', async () => {
    const [one, other] = [await openSocket(server.url), await openSocket(server.url)];
    expect(one.nonce).not.toBe(other.nonce);
    expect(one.nonce.length).toBeGreaterThanOrEqual(43);
    one.close();
    other.close();
  });
});

describe('once connected', () => {
  test('a second proof is one too many', async () => {
    const { key, socket } = await connected();
    socket.send(key.prove(socket.nonce));
    expect((await socket.frame('goodbye')).reason).toContain('expected one proof, got another');
    await socket.closed();
  });

  test('heartbeats are answered with the server’s time', async () => {
    const { socket } = await connected();
    socket.send({ type: 'heartbeat' });
    expect(Math.abs((await socket.frame('heartbeat')).serverTime - Date.now())).toBeLessThan(5_000);
    socket.close();
  });

  test('rubbish ends the connection, and the machine is offline', async () => {
    const { key, socket } = await connected();
    expect((await server.api.call(`/api/machines/${key.machineId}`)).json.isOnline).toBe(true);
    socket.send('rubbish');
    await socket.closed();
    const deadline = performance.now() + 5_000;
    const isOnline = async () => (await server.api.call(`/api/machines/${key.machineId}`)).json.isOnline;
    while ((await isOnline()) && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    expect(await isOnline()).toBe(false);
  });

  test('a proof that comes late, on a connection from before, is sent away: what was taken meanwhile is not lost', async () => {
    const key = await enrolKey(server.url, server.enrolToken);
    const late = await openSocket(server.url);
    const live = await openSocket(server.url);
    live.send(key.prove(live.nonce));
    await live.frame('welcome');
    const { json } = await server.api.post(`/api/machines/${key.machineId}/runliveresponse`, { Commands: [GET_FILE] });
    await live.frame('offer');
    live.send(accepted(json.id));
    await live.frame('acknowledge');
    late.send(key.prove(late.nonce));
    expect((await late.frame('goodbye')).reason).toContain('newer connection');
    live.send({ type: 'heartbeat' });
    await live.frame('heartbeat');
    expect((await server.api.call(`/api/machineactions/${json.id}`)).json.status).toBe('InProgress');
    live.close();
  });

  test('a machine that connects anew has one connection: the new one', async () => {
    const { key, socket: old } = await connected();
    const fresh = await openSocket(server.url);
    fresh.send(key.prove(fresh.nonce));
    await fresh.frame('welcome');
    expect((await old.frame('goodbye')).reason).toContain('connected anew');
    await old.closed();
    fresh.send({ type: 'heartbeat' });
    await fresh.frame('heartbeat');
    expect((await server.api.call(`/api/machines/${key.machineId}`)).json.isOnline).toBe(true);
    const { json } = await server.api.post(`/api/machines/${key.machineId}/runliveresponse`, { Commands: [GET_FILE] });
    expect((await fresh.frame('offer')).actionId).toBe(json.id);
    fresh.close();
  });

  test('a device has no say in another’s action, nor in one that is not there', async () => {
    const away = await server.absentDevice('victim');
    const { json } = await server.api.post(`/api/machines/${away.machineId}/runliveresponse`, { Commands: [GET_FILE] });
    const { socket } = await connected();
    const before = snapshot(server.dataFolder);
    for (const [place, actionId] of [json.id, NO_ID].entries()) {
      socket.send({ ...accepted(actionId), sequence: place + 1 });
      const { reason } = await socket.frame('cancel');
      expect(reason).toContain('does not know this action');
      socket.frames.splice(0);
    }
    const ended = { kind: 'action-ended', actionId: json.id, at: 1, how: 'done' };
    socket.send({ type: 'report', sequence: 3, fact: ended });
    expect((await socket.frame('acknowledge')).sequence).toBe(3);
    expect(snapshot(server.dataFolder)).toBe(before);
    expect((await server.api.call(`/api/machineactions/${json.id}`)).json.status).toBe('Pending');
    socket.close();
  });

  test('moments that no calendar has do not keep an action from being shown', async () => {
    const device = await server.device('timeless');
    const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, {
      Commands: [GET_FILE],
    });
    const { actionId } = await device.takeOffer();
    for (const [place, at] of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].entries()) {
      const kind = place === 0 ? 'accepted' : 'command-started';
      const fact = { kind, actionId, at, ...(place === 0 ? {} : { index: 0 }) };
      device.send({ type: 'report', sequence: place + 1, fact });
      await device.take('acknowledge');
    }
    const { status, json: shown } = await server.api.call(`/api/machineactions/${json.id}`);
    expect([status, shown.commands[0].commandStatus]).toEqual([200, 'Executing']);
    expect((await server.api.call('/api/machineactions')).status).toBe(200);
    await device.disconnect();
  });

  test('texts with every character are kept as data and shown as such', async () => {
    const device = await server.device('<script>\u0000\u001b[31m\ud800');
    const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, {
      Commands: [GET_FILE],
    });
    const offer = await device.takeOffer();
    const { actionId } = offer;
    await device.report({ kind: 'accepted', actionId });
    const file = await device.upload(offer, { index: 0, stream: 'file' }, 'abc');
    const results = [{ ...file, name: '../../etc/\u0000pass"wd\r\nX-Evil: 1\ud800' }];
    const done = { outcome: 'Completed' as const, errors: ["'; drop table actions; --"], exitCode: null, results };
    await device.report({ kind: 'command-finished', actionId, index: 0, ...done });
    const { commands } = (await server.api.call(`/api/machineactions/${json.id}`)).json;
    expect(commands[0].errors).toEqual(["'; drop table actions; --"]);
    const download = await server.api.download(json.id, 0);
    expect(download.status).toBe(200);
    expect(download.headers.get('x-evil')).toBeNull();
    expect(download.headers.get('content-disposition')).toMatch(/^attachment; filename=[\w.%~-]+$/);
    await device.disconnect();
  });
});

test('who is silent for two and a half heartbeats is gone, proven or not', async () => {
  const brief = await startTestServer(['--limit', 'heartbeat-seconds=0.2']);
  others.push(brief);
  const key = await enrolKey(brief.url, brief.enrolToken);
  const [silent, stranger] = [await openSocket(brief.url), await openSocket(brief.url)];
  silent.send(key.prove(silent.nonce));
  expect((await silent.frame('welcome')).heartbeatSeconds).toBe(0.2);
  await Promise.all([silent.closed(), stranger.closed()]);
  const lively = await openSocket(brief.url);
  lively.send(key.prove(lively.nonce));
  await lively.frame('welcome');
  const beat = setInterval(() => lively.send({ type: 'heartbeat' }), 50);
  // opened later than the lively one, and gone before it
  await (await openSocket(brief.url)).closed();
  clearInterval(beat);
  lively.frames.splice(0);
  lively.send({ type: 'heartbeat' });
  await lively.frame('heartbeat');
  lively.close();
});

describe('enrolment', () => {
  const enrol = async (body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(server.url + AGENT_PATHS.enrol, { method: 'POST', body: text });
    const { error } = JSON.parse(await response.text());
    return [response.status, error?.code, error?.message ?? ''];
  };
  const token = (maxUses: number | null, validHours: number | null) =>
    server.admin.call('createEnrolToken', { tags: [], maxUses, validHours });

  test('needs a token that is known, whole, fresh, not used up and not revoked', async () => {
    const [used, brief, revoked] = [await token(1, null), await token(null, 1e-9), await token(null, null)];
    expect((await enrol(newKey().enrolment(used.token)))[0]).toBe(200);
    await server.admin.call('revokeEnrolToken', { id: revoked.id });
    const [prefix, id, secret, ca] = used.token.split('.');
    const cases: readonly (readonly [string, string])[] = [
      [used.token, 'used as often as it may be'],
      [brief.token, 'has expired'],
      [revoked.token, 'was revoked'],
      [[prefix, id, `${secret?.slice(0, -1)}${secret?.endsWith('A') ? 'B' : 'A'}`, ca].join('.'), 'not known here'],
      [[prefix, 'nobodys-id', secret, ca].join('.'), 'not known here'],
      ['longarm2.a.b.c', 'of the form longarm1'],
    ];
    const before = snapshot(server.dataFolder);
    for (const [text, says] of cases) {
      const [status, code, message] = await enrol(newKey().enrolment(text));
      expect([says, status, code, message.includes(says)]).toEqual([says, 401, 'Unauthorized', true]);
      expect(message).not.toContain(secret ?? 'a secret');
    }
    expect(snapshot(server.dataFolder)).toBe(before);
  });

  test('is answered the same to the same key again, and spends nothing', async () => {
    const { token: once } = await token(1, null);
    const key = newKey();
    for (let time = 0; time < 3; time++) expect((await enrol(key.enrolment(once)))[0]).toBe(200);
    expect((await enrol(newKey().enrolment(once)))[0]).toBe(401);
    const { tokens } = await server.admin.call('listEnrolTokens', {});
    expect(tokens.find(({ id }) => once.includes(id))?.uses).toBe(1);
  });

  test('needs a proof by the key that enrols, of what it enrols as', async () => {
    const [key, other] = [newKey().enrolment(server.enrolToken), newKey().enrolment(server.enrolToken)];
    const before = snapshot(server.dataFolder);
    for (const wrong of [
      { ...key, proof: other.proof },
      { ...key, publicKey: other.publicKey },
      { ...key, hardwareId: other.hardwareId },
      { ...key, proof: 'x' },
    ])
      expect((await enrol(wrong)).slice(0, 2)).toEqual([400, 'InvalidInput']);
    for (const wrong of [
      'rubbish',
      { ...key, publicKey: 'short' },
      { ...key, extra: 1 },
      { ...key, facts: { ...key.facts, osPlatform: 'Plan9' } },
      { ...key, facts: { ...key.facts, computerDnsName: '' } },
    ])
      expect((await enrol(wrong)).slice(0, 2)).toEqual([400, 'InvalidRequestBody']);
    expect(snapshot(server.dataFolder)).toBe(before);
  });
});
