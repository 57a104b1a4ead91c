import { afterEach, expect, test } from 'bun:test';
import {
  ADMIN_OPERATIONS,
  type AdminAnswer,
  type AdminDoor,
  type AdminOperation,
} from '@longarm/contract/admin/operations';
import { Refusal } from '@longarm/contract/errors';
import { openSession, type Session } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

const TENANT = '11111111-2222-4333-8444-555555555555';
const CLIENT = '7f9c3a52-1d5e-4a4e-9a54-6f1a5d0c2b11';
const CREATED = '2026-02-04T11:00:00.0000000Z';
const created = { tenantId: TENANT, tags: ['a'], group: null, uses: 1, createdDateTimeUtc: CREATED };
const token = { ...created, revoked: false, approval: false };

const credential = { createdDateTimeUtc: CREATED, expiresDateTimeUtc: null };

const authority = { sha256: 'c'.repeat(64), notBefore: CREATED, notAfter: CREATED };
const AUTHORITY = {
  current: authority,
  next: { ...authority, sha256: 'd'.repeat(64) },
  signer: 'current',
  machines: 3,
  unaware: 2,
  unawareMachines: [
    { id: 'e'.repeat(40), computerDnsName: 'away.lab', lastSeen: CREATED, isOnline: false, tells: true },
    { id: 'f'.repeat(40), computerDnsName: 'old.lab', lastSeen: CREATED, isOnline: true, tells: false },
  ],
  olderEnrolTokens: 1,
};

const ANSWERS: Readonly<Record<AdminOperation, unknown>> = {
  lockDown: { cancelled: 2 },
  liftLockdown: { lifted: true },
  describeLockdown: { lockdown: { sinceDateTimeUtc: CREATED, actor: 'local administrator', reason: 'why\u001b' } },
  readAudit: { entries: [], head: { sequence: 0, hash: '0'.repeat(64) }, isLast: true },
  createApplication: { tenantId: TENANT, clientId: CLIENT, clientSecret: 's3cret' },
  listApplications: {
    applications: [
      {
        tenantId: TENANT,
        clientId: CLIENT,
        name: 'bot',
        roles: ['Library.Manage'],
        deviceGroups: ['Berlin'],
        createdDateTimeUtc: CREATED,
        grants: ['client_credentials'],
        scopes: [],
        isNative: false,
        redirectUris: [],
      },
    ],
  },
  deleteApplication: { deleted: true },
  createPerson: {
    name: 'anna',
    url: 'https://lr.example/sign-in/set-up?secret=x',
    secret: 'x',
    expiresDateTimeUtc: CREATED,
  },
  resetPerson: { name: 'anna', url: null, secret: 'y', expiresDateTimeUtc: CREATED },
  listPeople: {
    people: [
      {
        id: CLIENT,
        name: 'anna',
        displayName: 'Anna',
        roles: ['Data.View'],
        deviceGroups: 'all',
        disabled: true,
        hasPassword: true,
        hasSecondFactor: true,
        hasAuthenticatorApp: true,
        securityKeys: 1,
        secondFactor: 'required',
        createdDateTimeUtc: CREATED,
        lastSignInDateTimeUtc: null,
      },
    ],
  },
  changePerson: { changed: true },
  deletePerson: { deleted: true },
  addIssuer: { id: 'i1' },
  listIssuers: { issuers: [] },
  removeIssuer: { removed: true },
  createNativeApplication: { tenantId: TENANT, clientId: CLIENT },
  addApplicationSecret: { id: 's1', clientSecret: 'n3w', expiresDateTimeUtc: null },
  addApplicationCertificate: { id: 'c1', subject: 'CN=soar', expiresDateTimeUtc: CREATED },
  listApplicationCredentials: {
    credentials: [
      { ...credential, id: 's1', kind: 'secret', subject: null, lastUsedDateTimeUtc: CREATED },
      { ...credential, id: 'c1', kind: 'certificate', subject: 'CN=soar', lastUsedDateTimeUtc: null },
    ],
  },
  removeApplicationCredential: { removed: true },
  describeServer: { url: 'https://lr.example:8443', caPem: 'a certificate', targets: ['linux-x64'] },
  createEnrolToken: { id: 'tok1', token: 'longarm1.tok1.x.y' },
  listEnrolTokens: {
    tokens: [
      { ...token, id: 'endless', maxUses: null, expiresDateTimeUtc: null },
      { ...token, id: 'over', maxUses: null, expiresDateTimeUtc: CREATED },
      { ...token, id: 'full', maxUses: 1, expiresDateTimeUtc: null },
      { ...token, id: 'gone', maxUses: null, expiresDateTimeUtc: null, revoked: true },
    ],
  },
  revokeEnrolToken: { revoked: false },
  declareRestored: { epoch: 3 },
  createDeviceGroup: { id: 7 },
  listDeviceGroups: {
    groups: [
      { id: 7, name: 'Berlin', liveResponse: true, approval: false, machines: 3, createdDateTimeUtc: CREATED },
      { id: 8, name: 'DCs', liveResponse: false, approval: true, machines: 0, createdDateTimeUtc: CREATED },
    ],
  },
  changeDeviceGroup: { liveResponse: false, approval: true },
  deleteDeviceGroup: { deleted: true },
  decideEnrolment: { machineId: 'a'.repeat(40), state: 'Revoked', endedActions: 2 },
  wantKey: { machineId: 'a'.repeat(40), isAsked: false },
  describeAuthority: AUTHORITY,
  changeAuthority: { ...AUTHORITY, unaware: 0, unawareMachines: [], olderEnrolTokens: 0 },
  moveMachine: { machineId: 'a'.repeat(40), group: 'Berlin' },
};

const open = async () => {
  const calls: unknown[] = [];
  const door: AdminDoor = {
    call: async <Name extends AdminOperation>(name: Name, request: unknown): Promise<AdminAnswer<Name>> => {
      calls.push([name, ADMIN_OPERATIONS[name].request.parse(request)]);
      // The table of operations ties the answer's schema to its name; the compiler cannot follow it through an index.
      return ADMIN_OPERATIONS[name].answer.parse(ANSWERS[name]) as AdminAnswer<Name>;
    },
    close: async () => {
      calls.push('closed');
    },
  };
  const openAdmin = async (dataFolder: string): Promise<AdminDoor> => {
    if (dataFolder === 'locked') throw new Refusal('BadRequest', 'The folder is held by another process.');
    calls.push(dataFolder);
    return door;
  };
  const session = await openSession({ openAdmin });
  sessions.push(session);
  return { session, calls };
};

test('an application is created for programs as exactly three keys, for people with a warning', async () => {
  const { session, calls } = await open();
  const roles = ['--role', 'Machine.LiveResponse', 'Machine.Read.All', '--role', 'Library.Manage'];
  const created = await session.bare('app', 'create', 'bot', ...roles, '--data', 'd', '--json');
  expect(created).toMatchObject({ code: 0, err: '' });
  expect(created.out).toBe(`{"tenantId":"${TENANT}","clientId":"${CLIENT}","clientSecret":"s3cret"}\n`);
  const request = { name: 'bot', roles: ['Machine.LiveResponse', 'Machine.Read.All', 'Library.Manage'] };
  expect(calls).toEqual(['d', ['createApplication', request], 'closed']);
  expect((await session.bare('app', 'create', 'bot', ...roles, '--data', 'd')).out).toContain('shown this once');
});

test('a role that does not exist, no role, and no data folder are wrong usages', async () => {
  const { session, calls } = await open();
  expect(await session.bare('app', 'create', 'x', '--role', 'Root', '--data', 'd')).toMatchObject({ code: 2 });
  expect(await session.bare('app', 'create', 'x', '--data', 'd')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Machine.LiveResponse'),
  });
  expect(await session.bare('app', 'list')).toMatchObject({ code: 2, err: expect.stringContaining('--data DIR') });
  expect(calls).toEqual([]);
});

test('applications are listed and deleted', async () => {
  const { session, calls } = await open();
  const listed = await session.bare('app', 'list', '--data', 'd');
  expect(listed.out).toContain(`bot   ${CLIENT}  Library.Manage  Berlin         1 h ago`);
  expect(JSON.parse((await session.bare('app', 'list', '--data', 'd', '--json')).out)[0].name).toBe('bot');
  expect((await session.bare('app', 'delete', CLIENT, '--data', 'd')).code).toBe(0);
  expect(calls).toContainEqual(['deleteApplication', { clientId: CLIENT }]);
  expect((await session.bare('app', 'delete', 'bot', '--data', 'd')).code).toBe(2);
});

test('secrets and certificates of an application are added, listed apart and removed', async () => {
  const { session, calls } = await open();
  const added = await session.bare('app', 'secret', 'add', CLIENT, '--valid-days', '30', '--data', 'd');
  expect(added.out).toContain('n3w');
  expect(calls).toContainEqual(['addApplicationSecret', { clientId: CLIENT, validDays: 30 }]);
  expect((await session.bare('app', 'secret', 'add', CLIENT, '--valid-days', '0', '--data', 'd')).code).toBe(2);
  const secrets = await session.bare('app', 'secret', 'list', CLIENT, '--data', 'd');
  expect(secrets.out).toMatch(/s1 .* never +1 h ago/);
  expect(secrets.out).not.toContain('c1');
  expect((await session.bare('app', 'certificate', 'list', CLIENT, '--data', 'd')).out).toMatch(/c1 +CN=soar/);
  await session.bare('app', 'certificate', 'remove', CLIENT, 'c1', '--data', 'd');
  expect(calls).toContainEqual(['removeApplicationCredential', { clientId: CLIENT, kind: 'certificate', id: 'c1' }]);
  const absent = await session.bare('app', 'certificate', 'add', CLIENT, '--cert', '/does/not/exist', '--data', 'd');
  expect(absent.code).not.toBe(0);
});

test('people are created with a link, listed, changed, reset and deleted', async () => {
  const { session, calls } = await open();
  const created = await session.bare(
    'user',
    'create',
    'anna',
    '--role',
    'Data.View',
    '--group',
    'Berlin',
    '--data',
    'd',
  );
  expect(created.out).toContain('https://lr.example/sign-in/set-up?secret=x');
  const anna = { name: 'anna', roles: ['Data.View'], deviceGroups: ['Berlin'] };
  expect(calls).toContainEqual(['createPerson', anna]);
  expect((await session.bare('user', 'create', 'anna', '--data', 'd')).code).toBe(2);
  expect((await session.bare('user', 'list', '--data', 'd')).out).toMatch(
    /anna +disabled +Data.View +all +app, 1 key \(required\) +never/,
  );
  await session.bare('user', 'change', 'anna', '--all-groups', '--disable', '--data', 'd');
  expect(calls).toContainEqual(['changePerson', { name: 'anna', deviceGroups: 'all', disabled: true }]);
  const rule = ['--second-factor', 'required', '--data', 'd'];
  await session.bare('user', 'create', 'ben', '--role', 'Data.View', ...rule);
  const ben = { name: 'ben', roles: ['Data.View'], deviceGroups: 'all', secondFactor: 'required' };
  expect(calls).toContainEqual(['createPerson', ben]);
  await session.bare('user', 'change', 'ben', '--reset-second-factor', ...rule);
  expect(calls).toContainEqual(['changePerson', { name: 'ben', secondFactor: 'required', resetSecondFactor: true }]);
  expect((await session.bare('user', 'change', 'ben', '--second-factor', 'no', '--data', 'd')).code).toBe(2);
  expect((await session.bare('user', 'reset', 'anna', '--data', 'd')).out).toContain('y');
  expect((await session.bare('user', 'delete', 'anna', '--data', 'd')).code).toBe(0);
});

test('an issuer is added with what its claims mean here', async () => {
  const { session, calls } = await open();
  const maps = [
    '--map-role',
    'soc-lead=LiveResponse.Advanced',
    '--map-group',
    '/berlin=Berlin',
    '--role-claim',
    'realm_access.roles',
  ];
  const added = await session.bare(
    'issuer',
    'add',
    'https://sso.example/realms/x',
    '--audience',
    'longarm',
    ...maps,
    '--data',
    'd',
  );
  expect(added.code).toBe(0);
  expect(calls).toContainEqual([
    'addIssuer',
    {
      url: 'https://sso.example/realms/x',
      discoveryUrl: null,
      audiences: ['longarm'],
      tid: null,
      roleClaim: 'realm_access.roles',
      groupClaim: 'groups',
      roleMap: { 'soc-lead': 'LiveResponse.Advanced' },
      groupMap: { '/berlin': 'Berlin' },
    },
  ]);
  const wrong = await session.bare(
    'issuer',
    'add',
    'https://x.example',
    '--audience',
    'a',
    '--map-role',
    'a=Root',
    '--data',
    'd',
  );
  expect(wrong.code).toBe(2);
});

test('a native application has no role and no secret', async () => {
  const { session, calls } = await open();
  const created = await session.bare(
    'app',
    'create',
    'cli',
    '--native',
    '--grant',
    'device_code',
    '--data',
    'd',
    '--json',
  );
  expect(JSON.parse(created.out)).toEqual({ tenantId: TENANT, clientId: CLIENT });
  expect(calls).toContainEqual(['createNativeApplication', { name: 'cli', grants: ['device_code'] }]);
});

test('an enrolment token is created with what bounds it', async () => {
  const { session, calls } = await open();
  const bounds = ['--tag', 'a', 'b', '--uses', '3', '--hours', '0.5'];
  const created = await session.bare('enrol-token', 'create', ...bounds, '--data', 'd', '--json');
  expect(created.out).toBe('{"token":"longarm1.tok1.x.y","id":"tok1"}\n');
  expect(calls).toContainEqual(['createEnrolToken', { tags: ['a', 'b'], maxUses: 3, validHours: 0.5 }]);
  await session.bare('enrol-token', 'create', '--data', 'd');
  expect(calls).toContainEqual(['createEnrolToken', { tags: [], maxUses: null, validHours: null }]);
  expect((await session.bare('enrol-token', 'create', '--uses', '0', '--data', 'd')).code).toBe(2);
});

test('with --installer it comes in the lines that install an agent', async () => {
  const { session, calls } = await open();
  const asked = ['enrol-token', 'create', '--installer', '--data', 'd'];
  const { installer } = JSON.parse((await session.bare(...asked, '--json')).out);
  expect(installer.posix).toContain('https://lr.example:8443/install.sh');
  expect(installer.targets).toEqual(['linux-x64']);
  const { out } = await session.bare(...asked, '--server', 'http://10.0.0.1:8080/');
  expect(out).toContain('sh install.sh http://10.0.0.1:8080 - --insecure)\n');
  expect(out).toContain('The server hands out: linux-x64.');
  calls.length = 0;
  const refused = await session.bare(...asked, '--server', 'ftp://a');
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('after --server') });
  expect(calls).toEqual(['d', ['describeServer', {}], 'closed']);
});

test('enrolment tokens say whether they are still good', async () => {
  const { session } = await open();
  const { out } = await session.bare('enrol-token', 'list', '--data', 'd');
  expect(out.split('\n').map((line) => line.slice(0, 17).trimEnd())).toEqual([
    'ID       STATE',
    'endless  good',
    'over     expired',
    'full     used up',
    'gone     revoked',
    '',
  ]);
});

test('a restored folder is declared, and the epoch told', async () => {
  const { session, calls } = await open();
  expect((await session.bare('restored', '--data', 'd')).out).toContain('epoch 3');
  expect(calls).toContainEqual(['declareRestored', {}]);
});

test('what is not there, or cannot be opened, is a refusal with a sentence', async () => {
  const { session } = await open();
  expect(await session.bare('enrol-token', 'revoke', 'no\u001b', '--data', 'd')).toMatchObject({
    code: 3,
    err: expect.stringContaining('no enrolment token no\\x1b'),
  });
  expect(await session.bare('app', 'list', '--data', 'locked')).toMatchObject({
    code: 3,
    err: expect.stringContaining('held by another process'),
  });
});

test('device groups are created, listed, changed and deleted', async () => {
  const { session, calls } = await open();
  const group = (...given: readonly string[]) => session.bare('group', ...given, '--data', 'd');
  expect((await group('create', 'Berlin', '--json')).out).toBe('{"id":7}\n');
  await group('create', 'DCs', '--approval', '--no-live-response');
  expect(calls).toContainEqual(['createDeviceGroup', { name: 'Berlin', liveResponse: true, approval: false }]);
  expect(calls).toContainEqual(['createDeviceGroup', { name: 'DCs', liveResponse: false, approval: true }]);
  expect((await group('list')).out).toMatch(/Berlin +7 +3 +on +off\nDCs +8 +0 +off +on\n/);
  expect((await group('change', 'DCs', '--live-response', 'off')).out).toContain('live response off, approval on');
  expect(calls).toContainEqual(['changeDeviceGroup', { name: 'DCs', liveResponse: false }]);
  expect((await group('change', 'DCs')).code).toBe(2);
  expect((await group('delete', 'DCs')).code).toBe(0);
});

test('applications, enrolment tokens and machines are given their groups', async () => {
  const { session, calls } = await open();
  await session.bare('app', 'create', 'b', '--role', 'Library.Manage', '--group', 'Berlin', 'Bonn', '--data', 'd');
  const application = { name: 'b', roles: ['Library.Manage'], deviceGroups: ['Berlin', 'Bonn'] };
  expect(calls).toContainEqual(['createApplication', application]);
  await session.bare('enrol-token', 'create', '--group', 'Berlin', '--data', 'd');
  expect(calls).toContainEqual(['createEnrolToken', { tags: [], group: 'Berlin', maxUses: null, validHours: null }]);
  const machines = (...given: readonly string[]) => session.bare('machines', 'group', 'host1', ...given, '--data', 'd');
  expect((await machines('Berlin')).out).toContain('in the device group Berlin');
  await machines('--none');
  expect(calls).toContainEqual(['moveMachine', { machine: 'host1', group: null }]);
  expect((await machines()).code).toBe(2);
  expect((await machines('Berlin', '--none')).code).toBe(2);
});

test('a device is asked for another key', async () => {
  const { session, calls } = await open();
  const { out, code } = await session.bare('machines', 'rotate-key', 'host1', '--data', 'd');
  expect([code, calls[1]]).toEqual([0, ['wantKey', { machine: 'host1' }]]);
  expect(out).toContain(`${'a'.repeat(40)} is asked for another key when it connects next`);
});

test('the authority is told, with the devices that do not know the next one', async () => {
  const { session, calls } = await open();
  const { out, code } = await session.bare('ca', 'status', '--data', 'd');
  expect([code, calls[1]]).toEqual([0, ['describeAuthority', {}]]);
  expect(out).toContain(`current                 ${'c'.repeat(64)}, until`);
  expect(out).toContain('3, of which 2 do not know the next authority');
  expect(out).toContain('1, which name the old authority alone');
  expect(out).toMatch(/e{40} +away\.lab +2026/);
  expect(out).toMatch(/f{40} +old\.lab +online +has not told/);
  expect(JSON.parse((await session.bare('ca', 'status', '--data', 'd', '--json')).out)).toEqual(AUTHORITY);
});

test('each step of replacing the authority is asked for by its name, and what comes then is said', async () => {
  const { session, calls } = await open();
  const steps = [
    [['rotate'], 'rotate', false, 'Have other clients trust tls/ca.pem'],
    [['switch'], 'switch', false, 'signs what the server shows'],
    [['switch', '--even-if-devices-are-lost'], 'switch', true, 'signs what the server shows'],
    [['switch', '--back'], 'switch-back', false, 'signs again'],
    [['retire'], 'retire', false, 'Back up the data folder'],
    [['retire', '--even-if-devices-are-lost'], 'retire', true, 'is no more'],
    [['abandon'], 'abandon', false, 'The next authority is no more'],
  ] as const;
  for (const [args, step, evenIfDevicesAreLost, said] of steps) {
    const { out, code } = await session.bare('ca', ...args, '--data', 'd');
    expect([code, out.includes(said)]).toEqual([0, true]);
    expect(calls).toContainEqual(['changeAuthority', { step, evenIfDevicesAreLost }]);
  }
});

test('a device is approved, rejected and revoked, with the reason', async () => {
  const { session, calls } = await open();
  for (const decision of ['approve', 'reject', 'revoke']) {
    const { out, code } = await session.bare('machines', decision, 'host1', '--reason', 'sold', '--data', 'd');
    expect([code, out.includes('a'.repeat(40))]).toEqual([0, true]);
    expect(out.includes('Actions ended: 2.')).toBe(decision === 'revoke');
    expect(calls).toContainEqual(['decideEnrolment', { machine: 'host1', decision, reason: 'sold' }]);
  }
  await session.bare('enrol-token', 'create', '--approval', '--data', 'd');
  const asked = { tags: [], maxUses: null, validHours: null, approval: true };
  expect(calls).toContainEqual(['createEnrolToken', asked]);
});

test('a lockdown is set with its reason, shown, and lifted', async () => {
  const { session, calls } = await open();
  const on = await session.bare('lockdown', 'on', '--reason', 'stolen key', '--data', 'd');
  expect(on.out).toBe('Lockdown is on. Actions cancelled: 2.\n');
  expect(calls).toContainEqual(['lockDown', { reason: 'stolen key' }]);
  expect((await session.bare('lockdown', 'status', '--data', 'd')).out).toContain('local administrator: why\\x1b');
  expect((await session.bare('lockdown', 'off', '--data', 'd', '--json')).out).toBe('{"lifted":true}\n');
});
