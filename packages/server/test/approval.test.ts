/** A second person: what waits for one stays Pending and is not offered, holds no session, and keeps what was said. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ensureTokenKey } from '@longarm/server/auth/token-keys';
import { type ApiCaller, apiCaller, type Json } from '@longarm/testkit/api-caller';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { SignJWT } from 'jose';
import { storeRows } from './store-rows.ts';

const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: 'x' }] };
const runScript = (name: string) => ({ type: 'RunScript', params: [{ key: 'ScriptName', value: name }] });

let server: TestServer;
let enrolToken: string;
/** An application that may run and approve; another that may approve. */
let both: ApiCaller;
let approver: ApiCaller;

beforeAll(async () => {
  server = await startTestServer(['--limit', 'sessions=1']);
  const { admin, url } = server;
  await admin.call('createDeviceGroup', { name: 'Guarded', liveResponse: true, approval: true });
  const request = { tags: [], group: 'guarded', maxUses: null, validHours: null };
  enrolToken = (await admin.call('createEnrolToken', request)).token;
  both = await apiCaller({ server: url, admin, name: 'both', roles: ['Machine.LiveResponse', 'Machine.Approve'] });
  approver = await apiCaller({ server: url, admin, name: 'lead', roles: ['Machine.Approve'] });
});
afterAll(() => server.stop());

const guarded = async (connected = false): Promise<ScriptedDevice> => {
  const device = await ScriptedDevice.enrol({ server: server.url, enrolToken, name: 'guarded.lab.example' });
  if (connected) await device.connect();
  return device;
};
const run = async (
  caller: ApiCaller,
  device: ScriptedDevice,
  commands: readonly object[] = [GET_FILE],
): Promise<Json> =>
  (await caller.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: commands, Comment: 'why' })).json;
const decide = (caller: ApiCaller, id: string, verb: string, body: object = { Reason: 'read it' }) =>
  caller.post(`/api/machineactions/${id}/${verb}`, body);
const get = async (id: string): Promise<Json> => (await server.api.call(`/api/machineactions/${id}`)).json;
const refused = ({ status, json }: { readonly status: number; readonly json: Json }) => [status, json.error.code];

test('an action in a guarded group waits, holds no session, and runs once another has approved it', async () => {
  const device = await guarded(true);
  const waiting = await run(both, device);
  expect(waiting).toMatchObject({ status: 'Pending', approvalState: 'Required', approver: null, approvalReason: null });
  expect(Object.keys(waiting).slice(-4)).toEqual([
    'approvalState',
    'approver',
    'approvalReason',
    'approvalDateTimeUtc',
  ]);
  // the one session there is goes to another machine, whose offer comes after the first was looked at
  const free = await server.device('free');
  const other = await run(both, free);
  expect(other).toMatchObject({ status: 'Pending', approvalState: null });
  const offer = await free.takeOffer();
  expect(device.has('offer')).toBe(false);
  expect(storeRows(server.dataFolder, 'select holds_slot, envelope from actions where id = ?', waiting.id)).toEqual([
    { holds_slot: 0, envelope: null },
  ]);
  // nor does it need a free one to be accepted, though its machine is connected
  expect((await run(both, await guarded(true))).approvalState).toBe('Required');
  await free.report({ kind: 'refused', actionId: offer.actionId, reason: 'busy' });
  const approved = await decide(approver, waiting.id, 'approve');
  expect(approved.status).toBe(200);
  expect(approved.json).toMatchObject({
    status: 'Pending',
    approvalState: 'Approved',
    approver: 'lead',
    approvalReason: 'read it',
    approvalDateTimeUtc: expect.stringMatching(/Z$/),
  });
  expect((await device.takeOffer()).actionId).toBe(waiting.id);
  await device.report({ kind: 'refused', actionId: waiting.id, reason: 'done' });
});

test('a machine whose action waits is busy like any', async () => {
  const device = await guarded();
  const { id } = await run(both, device);
  const answer = await both.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: [GET_FILE] });
  expect(refused(answer)).toEqual([400, 'ActiveRequestAlreadyExists']);
  expect(answer.json.error.message).toContain(id);
});

test('a no ends it with its reason, and is never offered', async () => {
  const device = await guarded(true);
  const { id } = await run(both, device);
  const { json } = await decide(approver, id, 'deny', { Reason: 'wrong host' });
  expect(json).toMatchObject({
    status: 'Cancelled',
    approvalState: 'Denied',
    approver: 'lead',
    approvalReason: 'wrong host',
    cancellationState: 'Effective',
    cancellationRequestor: 'lead',
    cancellationComment: 'wrong host',
    troubleshootInfo: 'denied by lead before it started: wrong host',
  });
  expect(json.commands[0]).toMatchObject({
    commandStatus: 'Failed',
    errors: ['denied by lead before it started: wrong host'],
  });
  const entries = storeRows(
    server.dataFolder,
    'select event, actor, detail from audit where subject = ? order by seq',
    id,
  );
  expect(entries.map(({ event, actor }) => [event, actor])).toEqual([
    ['action.requested', 'both'],
    ['action.Cancelled', 'lead'],
  ]);
  expect(JSON.parse(String(entries[0]?.detail)).approval).toBe('Required');
  expect(JSON.parse(String(entries[1]?.detail))).toMatchObject({ approval: 'Denied', approvalReason: 'wrong host' });
  expect(device.has('offer')).toBe(false);
});

test('what was said is in the audit, and is said once', async () => {
  const { id } = await run(both, await guarded());
  await decide(approver, id, 'approve', { Reason: '  agreed ' });
  const [entry] = storeRows(
    server.dataFolder,
    "select * from audit where subject = ? and event like 'action.app%'",
    id,
  );
  expect(entry).toMatchObject({ event: 'action.approval.Approved', actor: 'lead' });
  expect(JSON.parse(String(entry?.detail))).toMatchObject({ approver: 'lead', approvalReason: 'agreed' });
  expect((await decide(approver, id, 'approve', { Reason: 'an answer was lost' })).json.approvalReason).toBe('agreed');
  const late = await decide(approver, id, 'deny');
  expect(refused(late)).toEqual([400, 'BadRequest']);
  expect(late.json.error.message).toContain('Approved already, by lead');
  await both.post(`/api/machineactions/${id}/cancel`, { Comment: 'x' });
  expect((await get(id)).status).toBe('Cancelled');
});

test('a reason is needed, an approval has to be, and an end is an end', async () => {
  const { id } = await run(both, await guarded());
  expect(refused(await decide(approver, id, 'approve', {}))).toEqual([400, 'MissingRequiredParameter']);
  expect(refused(await decide(approver, id, 'approve', { Reason: ' ' }))).toEqual([400, 'InvalidInput']);
  expect((await get(id)).approvalState).toBe('Required');
  await both.post(`/api/machineactions/${id}/cancel`, { Comment: 'x' });
  const late = await decide(approver, id, 'approve');
  expect([...refused(late), late.json.error.message]).toEqual([
    400,
    'BadRequest',
    expect.stringContaining('is Cancelled'),
  ]);
  expect(await get(id)).toMatchObject({ status: 'Cancelled', approvalState: 'Required', approver: null });
  const plain = await run(both, await server.absentDevice('plain'));
  const needless = await decide(approver, plain.id, 'approve');
  expect([...refused(needless), needless.json.error.message]).toEqual([
    400,
    'BadRequest',
    expect.stringContaining('needs no approval'),
  ]);
});

test('a library file can need it, until it says otherwise; an override alone does not', async () => {
  const upload = async (fields: Readonly<Record<string, string>>) =>
    (await server.api.upload('wipe.sh', 'x', { OverrideIfExists: 'true', ...fields })).json.requiresApproval;
  const approvalOf = async () =>
    (await run(both, await server.absentDevice('any'), [GET_FILE, runScript('wipe.sh')])).approvalState;
  expect(await upload({})).toBe(false);
  expect(await approvalOf()).toBeNull();
  expect(await upload({ RequiresApproval: 'true' })).toBe(true);
  expect(await upload({ Description: 'newer' })).toBe(true);
  expect(await approvalOf()).toBe('Required');
  expect(await upload({ RequiresApproval: 'False' })).toBe(false);
  expect(await approvalOf()).toBeNull();
});

test('what waits can be listed', async () => {
  const { id } = await run(both, await guarded());
  const list = async (filter: string) =>
    (await server.api.call(`/api/machineactions?$filter=${encodeURIComponent(filter)}`)).json.value.map(
      (action: Json) => action.id,
    );
  expect(await list("approvalState eq 'required' and status eq 'Pending'")).toContain(id);
  expect(await list('approvalState eq null')).not.toContain(id);
});

test('a group that is switched off refuses by name', async () => {
  const device = await guarded();
  await server.admin.call('changeDeviceGroup', { name: 'guarded', liveResponse: false });
  const answer = await both.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: [GET_FILE] });
  await server.admin.call('changeDeviceGroup', { name: 'Guarded', liveResponse: true });
  expect([...refused(answer), answer.json.error.message]).toEqual([
    403,
    'DisallowedOperation',
    expect.stringContaining('"Guarded"'),
  ]);
  expect((await run(both, device)).approvalState).toBe('Required');
});

describe('the second person', () => {
  /** Somebody's token, through an application of this id. */
  const person = async (
    through: ApiCaller,
    claims: { readonly oid: string; readonly upn: string },
  ): Promise<ApiCaller> => {
    const own: Json = JSON.parse(Buffer.from(through.token.split('.')[1] ?? '', 'base64url').toString());
    const key = await ensureTokenKey(join(server.dataFolder, 'keys'));
    const roles = ['LiveResponse.Advanced', 'LiveResponse.Approve'];
    const token = await new SignJWT({ ...own, ...claims, roles, scp: 'Machine.LiveResponse Machine.Approve' })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .sign(key.privateKey);
    const call: ApiCaller['call'] = (path, options = {}) =>
      both.call(path, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } });
    return { ...both, token, call, post: (path, body) => call(path, { method: 'POST', body }) };
  };
  const ana = { oid: 'ana-oid', upn: 'ana@example.org' };
  const bo = { oid: 'bo-oid', upn: 'bo@example.org' };

  test('is not the application that asked', async () => {
    const { id } = await run(both, await guarded());
    for (const verb of ['approve', 'deny'])
      expect(refused(await decide(both, id, verb))).toEqual([403, 'DisallowedOperation']);
    expect((await get(id)).approvalState).toBe('Required');
  });

  test('is not the person who asked, through whatever application', async () => {
    const { id } = await run(await person(both, ana), await guarded());
    expect(refused(await decide(await person(both, ana), id, 'approve'))).toEqual([403, 'DisallowedOperation']);
    expect(refused(await decide(await person(approver, ana), id, 'approve'))).toEqual([403, 'DisallowedOperation']);
    const renamed = await person(approver, { ...ana, upn: 'ana.new@example.org' });
    expect(refused(await decide(renamed, id, 'approve'))).toEqual([403, 'DisallowedOperation']);
    const again = await person(approver, { oid: 'another-oid', upn: 'Ana@Example.org' });
    expect(refused(await decide(again, id, 'approve'))).toEqual([403, 'DisallowedOperation']);
    expect((await decide(await person(both, bo), id, 'approve')).json).toMatchObject({ approver: bo.upn });
  });

  test('is not the application that the asking person went through, nor the other way round', async () => {
    const first = await run(await person(both, ana), await guarded());
    expect(refused(await decide(both, first.id, 'approve'))).toEqual([403, 'DisallowedOperation']);
    expect((await decide(approver, first.id, 'approve')).status).toBe(200);
    const second = await run(both, await guarded());
    expect(refused(await decide(await person(both, ana), second.id, 'approve'))).toEqual([403, 'DisallowedOperation']);
    expect((await decide(await person(approver, ana), second.id, 'approve')).status).toBe(200);
  });
});

test('the queue time runs on while it waits', async () => {
  const short = await startTestServer(['--limit', 'queue-hours=0.0001']);
  try {
    await short.api.upload('wipe.sh', 'x', { RequiresApproval: 'true' });
    const { machineId } = await short.absentDevice();
    const { json } = await short.api.post(`/api/machines/${machineId}/runliveresponse`, {
      Commands: [runScript('wipe.sh')],
    });
    const events = await short.api.call(`/api/machineactions/${json.id}/events`);
    expect(events.text).toContain('timed out: nobody approved it within the queue time');
    const action = (await short.api.call(`/api/machineactions/${json.id}`)).json;
    expect(action).toMatchObject({ status: 'TimeOut', approvalState: 'Required' });
  } finally {
    await short.stop();
  }
});
