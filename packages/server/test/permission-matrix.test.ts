/**
 * Every endpoint × every role, scope and role of a person × own group, other group, no group, other tenant: what the
 * table of the contract says, against what the server answers.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { COMMAND_TYPES, type CommandType } from '@longarm/contract/commands/types';
import { allowsCommand, type Claimant, lackOf, PERSON_ROLES, ROLES, SCOPES } from '@longarm/contract/permission';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '@longarm/contract/rest/index';
import {
  type Call,
  type PermissionWorld,
  PLACES,
  type Place,
  type Placed,
  startPermissionWorld,
} from './permission-world.ts';

let world: PermissionWorld;
beforeAll(async () => {
  world = await startPermissionWorld();
});
afterAll(() => world.server.stop());

/** Names something that nobody has. */
const NOTHING: Placed = { machineId: 'f'.repeat(40), actionId: 'ffffffff-ffff-4fff-8fff-ffffffffffff' };

/** A call of each endpoint about that machine or action, which changes nothing that another case looks at. */
const CALLS: Readonly<Record<EndpointName, (about: Placed) => Omit<Call, 'method'>>> = {
  runLiveResponse: ({ machineId }) => ({
    path: `/api/machines/${machineId}/runliveresponse`,
    body: '{"Commands":[{"type":"GetFile","params":[{"key":"Path","value":"x"}]}]}',
  }),
  listMachineActions: () => ({ path: '/api/machineactions?$count=true' }),
  getMachineAction: ({ actionId }) => ({ path: `/api/machineactions/${actionId}` }),
  watchMachineAction: ({ actionId }) => ({ path: `/api/machineactions/${actionId}/events` }),
  watchCommandOutput: ({ actionId }) => ({ path: `/api/machineactions/${actionId}/commands/0/output` }),
  getResultLink: ({ actionId }) => ({
    path: `/api/machineactions/${actionId}/GetLiveResponseResultDownloadLink(index=1)`,
  }),
  cancelMachineAction: ({ actionId }) => ({ path: `/api/machineactions/${actionId}/cancel`, body: '{"Comment":"x"}' }),
  approveMachineAction: ({ actionId }) => ({ path: `/api/machineactions/${actionId}/approve`, body: '{"Reason":"x"}' }),
  denyMachineAction: ({ actionId }) => ({ path: `/api/machineactions/${actionId}/deny`, body: '{"Reason":"x"}' }),
  getPackageUri: ({ actionId }) => ({ path: `/api/machineactions/${actionId}/getPackageUri` }),
  listLibraryFiles: () => ({ path: '/api/libraryfiles' }),
  uploadLibraryFile: () => ({ path: '/api/libraryfiles', body: 'no form' }),
  downloadLibraryFile: () => ({ path: '/api/libraryfiles/foreign.sh/content' }),
  deleteLibraryFile: () => ({ path: '/api/libraryfiles/foreign.sh' }),
  listMachines: () => ({ path: '/api/machines?$count=true' }),
  findMachinesByIp: () => ({ path: `/api/machines/findbyip(ip='10.0.0.5',timestamp=${new Date().toISOString()})` }),
  findMachinesByTag: () => ({ path: '/api/machines/findbytag?tag=fl&useStartsWithFilter=true' }),
  changeMachineTags: ({ machineId }) => ({
    path: `/api/machines/${machineId}/tags`,
    body: '{"Value":"none","Action":"Remove"}',
  }),
  listLogonUsers: ({ machineId }) => ({ path: `/api/machines/${machineId}/logonusers` }),
  unsupportedAction: ({ machineId }) => ({ path: `/api/machines/${machineId}/isolate` }),
  getMachine: ({ machineId }) => ({ path: `/api/machines/${machineId}` }),
  listAlerts: () => ({ path: '/api/alerts' }),
  listIndicators: () => ({ path: '/api/indicators' }),
  listMachineGroups: () => ({ path: '/api/machinegroups' }),
};

type Tested = Claimant & { readonly application: keyof PermissionWorld['applications']; readonly limited: boolean };

/** Scopes that differ from one another where reach is judged. */
const REACHING = ['Machine.LiveResponse', 'Machine.Read', 'Machine.ReadWrite', 'Library.Manage', 'User.Read.All'];

/** Applications with one role each, people with one scope and one role each: with all groups, and with one. */
const CLAIMANTS: readonly Tested[] = [false, true].flatMap((limited): Tested[] => {
  const application = limited ? 'limited' : 'unlimited';
  const scopes = limited ? REACHING : ['', ...new Set(SCOPES)];
  const people = ['none', ...PERSON_ROLES].flatMap((role) =>
    scopes.map((scope): Tested => {
      return { kind: 'person', roles: [role], scopes: [scope], application, limited };
    }),
  );
  const applications = ['none', ...ROLES].map((role): Tested => {
    return { kind: 'application', roles: [role], scopes: [], application, limited };
  });
  return [...applications, ...people];
});

/** Signing costs more than a call: once for each. */
const tokens = new Map<Tested, Promise<string>>();
const tokenOf = (tested: Tested): Promise<string> => {
  const { kind, roles, scopes, application } = tested;
  const token =
    tokens.get(tested) ??
    world.token(world.applications[application], {
      roles,
      ...(kind === 'person' ? { scp: scopes.join(' '), oid: 'ana', upn: 'ana@example.org' } : {}),
    });
  tokens.set(tested, token);
  return token;
};

const isReached = ({ limited }: Tested, place: Place): boolean =>
  place === 'own group' || (!limited && place !== 'other tenant');

const reachedMachines = (tested: Tested): readonly string[] =>
  PLACES.filter((place) => isReached(tested, place))
    .map((place) => world.placed[place].machineId)
    .sort();

const ask = async (token: string, name: EndpointName, about: Placed) => {
  const answer = await world.call(token, { method: ENDPOINTS[name].method, ...CALLS[name](about) });
  // what differs between two refusals of the same kind: the id of the request, and the id that was asked for
  const kind = answer.text
    .replace(/"target":"[^"]*"/, '')
    .replaceAll(about.machineId, 'ID')
    .replaceAll(about.actionId, 'ID');
  return { ...answer, kind };
};

/** What an answer says of the caller: it may not, there is no such thing, or anything else. */
const verdictOf = (answer: { readonly status: number; readonly kind: string }, unknown: { readonly kind: string }) => {
  if (answer.status === 401 || answer.status === 403) return String(answer.status);
  return answer.kind === unknown.kind ? 'unknown' : 'found';
};

type Verdicts = Record<string, string>;

/** One machine or action: in each place, as the table says; and where it is out of reach, as what does not exist. */
const oneByOne = async (tested: Tested, token: string, name: EndpointName) => {
  const may = lackOf(tested, ENDPOINTS[name].permission) === null;
  const unknown = await ask(token, name, NOTHING);
  const [actual, expected]: [Verdicts, Verdicts] = [
    { nothing: String(unknown.status) },
    { nothing: may ? '404' : '403' },
  ];
  // permission is judged before anything is looked for: two places show that
  for (const place of may ? PLACES : (['own group', 'other tenant'] as const)) {
    actual[place] = verdictOf(await ask(token, name, world.placed[place]), unknown);
    expected[place] = !may ? '403' : isReached(tested, place) ? 'found' : 'unknown';
  }
  return { actual, expected };
};

/** A list: exactly what is in reach, and a count of exactly that. */
const listed = async (tested: Tested, token: string, name: EndpointName) => {
  const may = lackOf(tested, ENDPOINTS[name].permission) === null;
  const { status, text } = await ask(token, name, NOTHING);
  const of = ENDPOINTS[name].subject === 'actions' ? 'machineId' : 'id';
  const body = status === 200 ? JSON.parse(text) : { value: [] };
  const ids: string[] = body.value.map((entity: Readonly<Record<string, string>>) => entity[of]);
  const reached = may ? reachedMachines(tested) : [];
  return {
    actual: { status, ids: [...new Set(ids)].sort(), count: body['@odata.count'] ?? ids.length },
    expected: { status: may ? 200 : 403, ids: reached, count: reached.length * (of === 'id' ? 1 : 2) },
  };
};

/** What has no group: permission alone decides, and nothing of another tenant is there. */
const ungrouped = async (tested: Tested, token: string, name: EndpointName) => {
  const may = lackOf(tested, ENDPOINTS[name].permission) === null;
  const { status, text } = await ask(token, name, NOTHING);
  return {
    actual: { isForbidden: status === 403, saysForeign: status === 200 && text.includes('foreign') },
    expected: { isForbidden: !may, saysForeign: false },
  };
};

const JUDGES = {
  machine: oneByOne,
  action: oneByOne,
  machines: listed,
  actions: listed,
  library: ungrouped,
  nothing: ungrouped,
} as const;

describe('every answer is what the table says', () => {
  for (const name of ENDPOINT_NAMES) {
    test(name, async () => {
      for (const tested of CLAIMANTS) {
        const { actual, expected } = await JUDGES[ENDPOINTS[name].subject](tested, await tokenOf(tested), name);
        expect({ name, ...tested, ...actual }).toEqual({ name, ...tested, ...expected });
      }
    });
  }
});

test('another tenant sees its own, and nothing else', async () => {
  const token = await world.token(world.applications.foreign, { roles: ['Machine.Read.All', 'Machine.LiveResponse'] });
  const machines = JSON.parse((await ask(token, 'listMachines', NOTHING)).text);
  expect(machines.value.map(({ id }: { id: string }) => id)).toEqual([world.placed['other tenant'].machineId]);
  for (const place of ['own group', 'other group', 'no group'] as const)
    expect([place, (await ask(token, 'getMachine', world.placed[place])).status]).toEqual([place, 404]);
});

describe('command types', () => {
  const bodyOf = (type: CommandType) => {
    const [key, value] = {
      PutFile: ['FileName', 'placed.sh'],
      RunScript: ['ScriptName', 'placed.sh'],
      GetFile: ['Path', 'x'],
    }[type];
    return JSON.stringify({
      Commands: [
        { type: 'GetFile', params: [{ key: 'Path', value: 'x' }] },
        { type, params: [{ key, value }] },
      ],
    });
  };
  for (const role of PERSON_ROLES) {
    test(role, async () => {
      const tested = {
        kind: 'person',
        roles: [role],
        scopes: ['Machine.LiveResponse'],
        application: 'unlimited',
        limited: false,
      } as const;
      if (lackOf(tested, ENDPOINTS.runLiveResponse.permission) !== null) return;
      const token = await tokenOf(tested);
      const { path } = CALLS.runLiveResponse(world.placed['own group']);
      for (const type of COMMAND_TYPES) {
        const { status, text } = await world.call(token, { method: 'POST', path, body: bodyOf(type) });
        const { code, message } = JSON.parse(text).error;
        if (allowsCommand(tested, type))
          expect([type, status, code]).toEqual([type, 400, 'ActiveRequestAlreadyExists']);
        else {
          expect([type, status, code]).toEqual([type, 403, 'Forbidden']);
          expect(message).toStartWith(`Commands[1] (${type})`);
          expect(message).toContain('LiveResponse.Advanced');
        }
      }
    });
  }
});

describe('reach', () => {
  const nameOf = async (token: string, path: string) => {
    const { status, text } = await world.call(token, { method: 'GET', path });
    return [status, JSON.parse(text).id ?? JSON.parse(text).error.code];
  };
  const person = (application: Tested['application'], claims: Readonly<Record<string, unknown>>) =>
    world.token(world.applications[application], {
      roles: ['Data.View'],
      scp: 'Machine.Read',
      oid: 'ana',
      upn: 'ana@example.org',
      ...claims,
    });

  test('a name that several machines have is told apart within reach', async () => {
    const path = '/api/machines/twin.lab.example';
    const token = await person('unlimited', { device_groups: ['North'] });
    expect(await nameOf(token, path)).toEqual([200, world.placed['own group'].machineId]);
    expect(await nameOf(await person('unlimited', {}), path)).toEqual([400, 'InvalidInput']);
  });

  test('a person acts through an application: neither gains by the other', async () => {
    const { machineId } = world.placed['other group'];
    const path = `/api/machines/${machineId}`;
    expect((await nameOf(await person('unlimited', { device_groups: ['south'] }), path))[0]).toBe(200);
    expect((await nameOf(await person('limited', { device_groups: ['South'] }), path))[0]).toBe(404);
    expect((await nameOf(await person('unlimited', { device_groups: [] }), path))[0]).toBe(404);
    expect((await nameOf(await person('unlimited', { device_groups: ["x') or 1=1 --"] }), path))[0]).toBe(404);
  });

  test('a machine that is moved changes hands at once, with what was done on it', async () => {
    const token = await person('unlimited', { device_groups: ['South'] });
    const { machineId, actionId } = world.placed['no group'];
    const paths = [`/api/machines/${machineId}`, `/api/machineactions/${actionId}`];
    const statuses = async () => [(await nameOf(token, paths[0] ?? ''))[0], (await nameOf(token, paths[1] ?? ''))[0]];
    expect(await statuses()).toEqual([404, 404]);
    await world.server.admin.call('moveMachine', { machine: machineId, group: 'south' });
    expect(await statuses()).toEqual([200, 200]);
    await world.server.admin.call('moveMachine', { machine: machineId, group: null });
    expect(await statuses()).toEqual([404, 404]);
  });

  test('machines say their group and are found by it, in reach alone', async () => {
    const find = async (filter: string, claims: Readonly<Record<string, unknown>>) => {
      const path = `/api/machines?$count=true&$filter=${encodeURIComponent(filter)}`;
      const body = JSON.parse((await world.call(await person('unlimited', claims), { method: 'GET', path })).text);
      return [body['@odata.count'], body.value.map(({ rbacGroupName }: { rbacGroupName: string }) => rbacGroupName)];
    };
    expect(await find("rbacGroupName eq 'south'", {})).toEqual([1, ['South']]);
    expect(await find("rbacGroupName eq 'south'", { device_groups: ['North'] })).toEqual([0, []]);
    expect(await find('rbacGroupId eq 0', {})).toEqual([1, [null]]);
    expect(await find('rbacGroupId ne 0', { device_groups: ['South', 'North'] })).toEqual([2, expect.any(Array)]);
  });

  test('a list of actions follows a machine that moves', async () => {
    const token = await person('unlimited', { device_groups: ['East'] });
    const { machineId } = world.placed['no group'];
    const { admin } = world.server;
    const listed = async () => JSON.parse((await ask(token, 'listMachineActions', NOTHING)).text)['@odata.count'];
    await admin.call('createDeviceGroup', { name: 'East', liveResponse: true, approval: false });
    expect(await listed()).toBe(0);
    await admin.call('moveMachine', { machine: machineId, group: 'East' });
    expect(await listed()).toBe(2);
    await expect(admin.call('deleteDeviceGroup', { name: 'east' })).rejects.toThrow('is in use');
    await admin.call('moveMachine', { machine: machineId, group: null });
    expect(await listed()).toBe(0);
    expect(await admin.call('deleteDeviceGroup', { name: 'east' })).toEqual({ deleted: true });
    expect(await admin.call('deleteDeviceGroup', { name: 'east' })).toEqual({ deleted: false });
  });
});
