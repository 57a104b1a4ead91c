/**
 * Nothing of a device, of a person, or of a server that somebody owns acts on the analyst's terminal: what it obeys is
 * planted in every text of every answer, and no command lets it through.
 */
import { afterEach, expect, test } from 'bun:test';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionEntity } from '@longarm/contract/action';
import {
  ADMIN_OPERATIONS,
  type AdminAnswer,
  type AdminDoor,
  type AdminOperation,
} from '@longarm/contract/admin/operations';
import { LibraryFileEntity } from '@longarm/contract/library-file';
import { MachineEntity } from '@longarm/contract/machine';
import { OBEYED_BY_TERMINALS, poison, TERMINAL_POISON } from '@longarm/testkit/poison';
import { apiError, entityAnswer, type FixtureRoutes, pageAnswer } from '@longarm/testkit/rest-fixture';
import {
  SAMPLE_ACTION_ID,
  sampleAction,
  sampleCommand,
  sampleLibraryFile,
  sampleMachine,
} from '@longarm/testkit/sample-entities';
import type { Command } from 'commander';
import { longarmProgram } from '../src/longarm-program.ts';
import type { Io } from '../src/world/io.ts';
import { openSession, type Session } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

const hash = (text: string): string => new Bun.CryptoHasher('sha256').update(text).digest('hex');
const result = (stream: string, text: string) => ({ stream, sha256: hash(text), sizeBytes: Buffer.byteLength(text) });
const OUTPUT = `said ${TERMINAL_POISON}\n`;

const MACHINE = poison(MachineEntity, sampleMachine({ osVersion: '1', aadDeviceId: 'a', rbacGroupName: 'g' }));
const LIBRARY_FILE = poison(LibraryFileEntity, sampleLibraryFile());
/** Free texts only: its id has to be found again. */
const actionOf = (more: Partial<ActionEntity>): ActionEntity => ({
  ...poison(ActionEntity, sampleAction({ cancellationState: 'Effective', ...more })),
  id: SAMPLE_ACTION_ID,
});
const DONE = actionOf({
  status: 'Failed',
  commands: [
    sampleCommand(
      0,
      { type: 'RunScript', params: { ScriptName: 'a.sh', Args: '-x' } },
      {
        commandStatus: 'Completed',
        exitCode: 0,
        errors: ['e'],
        results: [result('stdout', OUTPUT), result('stderr', OUTPUT)],
      },
    ),
    sampleCommand(
      1,
      { type: 'GetFile', params: { Path: '/tmp/x' } },
      { commandStatus: 'Completed', errors: ['e'], results: [result('file', OUTPUT)] },
    ),
  ],
});
// a stream's name and hash are looked up by
const COLLECTED: ActionEntity = {
  ...DONE,
  commands: DONE.commands.map((command, index) => ({
    ...command,
    command: { ...command.command, type: index === 0 ? 'RunScript' : 'GetFile' },
    results: index === 0 ? [result('stdout', OUTPUT), result('stderr', OUTPUT)] : [result('file', OUTPUT)],
  })),
};
const RUNNING = actionOf({ status: 'InProgress' });

const ACTION = `/api/machineactions/${SAMPLE_ACTION_ID}`;
const actionEvents = () =>
  new Response(
    [RUNNING, COLLECTED].map((state) => `event: action\ndata: ${JSON.stringify(state)}\n\n`).join('') +
      'event: end\ndata: {}\n\n',
  );
const outputEvents = () =>
  new Response(
    [
      ...['stdout', 'stderr'].map(
        (stream) => `event: output\nid: 0-0\ndata: ${JSON.stringify({ stream, offset: 7, text: OUTPUT })}\n\n`,
      ),
      'event: end\nid: 0-0\ndata: {}\n\n',
    ].join(''),
  );
const DOCUMENT = JSON.stringify({ script_name: 'a.sh', exit_code: 0, script_output: OUTPUT, script_errors: OUTPUT });
const body = (request: Request): Response => new Response(request.url.includes('raw=1') ? OUTPUT : DOCUMENT);
const link =
  (index: number): FixtureRoutes[string] =>
  (request) =>
    Response.json({ '@odata.context': 'c', value: new URL(`/r/${index}`, request.url).href });
const machine = () => entityAnswer('Machines', MACHINE);
const done = () => entityAnswer('MachineActions', COLLECTED);

const ROUTES: FixtureRoutes = {
  'GET /api/machines': () => pageAnswer('Machines', [MACHINE]),
  'GET /api/machines/host1': machine,
  'POST /api/machines/host1/tags': machine,
  'POST /api/machines/host1/runliveresponse': done,
  'GET /api/machineactions': () => pageAnswer('MachineActions', [COLLECTED, RUNNING]),
  [`GET ${ACTION}`]: done,
  [`POST ${ACTION}/cancel`]: done,
  [`POST ${ACTION}/approve`]: done,
  [`POST ${ACTION}/deny`]: done,
  [`GET ${ACTION}/events`]: actionEvents,
  [`GET ${ACTION}/commands/0/output`]: outputEvents,
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=0)`]: link(0),
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=1)`]: link(1),
  'GET /r/0': body,
  'GET /r/1': body,
  'GET /api/libraryfiles': () => pageAnswer('LibraryFiles', [LIBRARY_FILE]),
  'POST /api/libraryfiles': () => entityAnswer('LibraryFiles', LIBRARY_FILE),
};

const TENANT = '11111111-2222-4333-8444-555555555555';
const CREATED = '2026-02-04T11:00:00.0000000Z';
const spent = { group: 'g', uses: 1, maxUses: 2 };
const token = { id: 'i', tenantId: TENANT, tags: ['a'], ...spent, revoked: false, approval: false };
const credential = {
  id: 'i',
  createdDateTimeUtc: CREATED,
  expiresDateTimeUtc: null,
  lastUsedDateTimeUtc: CREATED,
};
const entry = {
  sequence: 1,
  at: 1,
  tenantId: TENANT,
  actor: 'a',
  event: 'e',
  subject: 's',
  detail: '{}',
  previous: '0',
};
const authority = { sha256: 'c'.repeat(64), notBefore: CREATED, notAfter: CREATED };
const AUTHORITY = ADMIN_OPERATIONS.describeAuthority.answer.parse({
  current: authority,
  next: authority,
  signer: 'next',
  machines: 1,
  unaware: 1,
  unawareMachines: [{ id: 'a'.repeat(40), computerDnsName: 'n', lastSeen: CREATED, isOnline: false, tells: false }],
  olderEnrolTokens: 1,
});
const SAMPLES: { readonly [Name in AdminOperation]: AdminAnswer<Name> } = {
  lockDown: { cancelled: 2 },
  liftLockdown: { lifted: true },
  describeLockdown: { lockdown: { sinceDateTimeUtc: CREATED, actor: 'a', reason: 'r' } },
  readAudit: { entries: [{ ...entry, hash: '0' }], head: { sequence: 1, hash: '0' }, isLast: true },
  createApplication: ADMIN_OPERATIONS.createApplication.answer.parse({
    tenantId: TENANT,
    clientId: TENANT,
    clientSecret: 's',
  }),
  listApplications: ADMIN_OPERATIONS.listApplications.answer.parse({
    applications: [
      {
        tenantId: TENANT,
        clientId: TENANT,
        name: 'n',
        roles: [],
        deviceGroups: ['g'],
        createdDateTimeUtc: CREATED,
        grants: [],
        scopes: [],
        isNative: false,
        redirectUris: ['https://a.example'],
      },
    ],
  }),
  deleteApplication: { deleted: true },
  createPerson: { name: 'n', url: 'https://a.example', secret: 's', expiresDateTimeUtc: CREATED },
  resetPerson: { name: 'n', url: null, secret: 's', expiresDateTimeUtc: CREATED },
  listPeople: {
    people: [
      {
        id: TENANT,
        name: 'n',
        displayName: 'n',
        roles: ['Data.View'],
        deviceGroups: ['g'],
        disabled: false,
        hasPassword: true,
        hasSecondFactor: true,
        hasAuthenticatorApp: true,
        securityKeys: 2,
        secondFactor: 'required',
        createdDateTimeUtc: CREATED,
        lastSignInDateTimeUtc: CREATED,
      },
    ],
  },
  changePerson: { changed: true },
  deletePerson: { deleted: true },
  addIssuer: { id: 'i' },
  listIssuers: {
    issuers: [
      {
        id: 'i',
        url: 'https://a.example',
        discoveryUrl: null,
        audiences: ['a'],
        tid: 't',
        roleClaim: 'roles',
        groupClaim: 'groups',
        roleMap: {},
        groupMap: {},
        createdDateTimeUtc: CREATED,
      },
    ],
  },
  removeIssuer: { removed: true },
  createNativeApplication: ADMIN_OPERATIONS.createNativeApplication.answer.parse({
    tenantId: TENANT,
    clientId: TENANT,
  }),
  addApplicationSecret: { id: 'i', clientSecret: 's', expiresDateTimeUtc: CREATED },
  addApplicationCertificate: { id: 'i', subject: 's', expiresDateTimeUtc: CREATED },
  listApplicationCredentials: {
    credentials: [
      { ...credential, kind: 'secret', subject: null },
      { ...credential, kind: 'certificate', subject: 's' },
    ],
  },
  removeApplicationCredential: { removed: true },
  describeServer: { url: null, caPem: null, targets: [] },
  createEnrolToken: { id: 'i', token: 't' },
  listEnrolTokens: ADMIN_OPERATIONS.listEnrolTokens.answer.parse({
    tokens: [{ ...token, createdDateTimeUtc: CREATED, expiresDateTimeUtc: null }],
  }),
  revokeEnrolToken: { revoked: false },
  declareRestored: { epoch: 3 },
  createDeviceGroup: { id: 7 },
  listDeviceGroups: {
    groups: [{ id: 7, name: 'g', liveResponse: true, approval: false, machines: 3, createdDateTimeUtc: CREATED }],
  },
  changeDeviceGroup: { liveResponse: false, approval: true },
  deleteDeviceGroup: { deleted: true },
  decideEnrolment: ADMIN_OPERATIONS.decideEnrolment.answer.parse({
    machineId: 'a'.repeat(40),
    state: 'Revoked',
    endedActions: 1,
  }),
  wantKey: ADMIN_OPERATIONS.wantKey.answer.parse({ machineId: 'a'.repeat(40), isAsked: true }),
  describeAuthority: AUTHORITY,
  changeAuthority: AUTHORITY,
  moveMachine: ADMIN_OPERATIONS.moveMachine.answer.parse({ machineId: 'a'.repeat(40), group: 'g' }),
};

const openAdmin = async (): Promise<AdminDoor> => ({
  call: async <Name extends AdminOperation>(name: Name): Promise<AdminAnswer<Name>> =>
    // the table of operations ties schema and sample to the name; the compiler cannot follow it through an index
    poison(ADMIN_OPERATIONS[name].answer, SAMPLES[name]) as AdminAnswer<Name>,
  close: async () => {},
});

const open = async (routes: FixtureRoutes = ROUTES, io: Partial<Io> = {}): Promise<Session> => {
  const session = await openSession({ routes, io, openAdmin });
  sessions.push(session);
  return session;
};

const REMOTE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  run: [
    ['run', 'host1', '--get', '/x', '--comment', 'c'],
    ['run', 'host1', '--get', '/x', '--comment', 'c', '--wait', '--out', 'FOLDER/one'],
    ['run', 'host1', '--get', '/x', '--comment', 'c', '--follow', '--out', 'FOLDER/other'],
  ],
  output: [['output', SAMPLE_ACTION_ID, '0', '--follow']],
  result: [
    ['result', SAMPLE_ACTION_ID, '0'],
    ['result', SAMPLE_ACTION_ID, '1', '--out', 'FOLDER/file'],
    ['result', SAMPLE_ACTION_ID, '0', '--out', '-'],
  ],
  cancel: [['cancel', SAMPLE_ACTION_ID, '--comment', 'c']],
  approve: [['approve', SAMPLE_ACTION_ID, '--reason', 'r']],
  deny: [['deny', SAMPLE_ACTION_ID, '--reason', 'r']],
  'machines list': [['machines']],
  'machines get': [['machines', 'get', 'host1']],
  'machines tag': [['machines', 'tag', 'host1', 'add', 't']],
  'library list': [['library']],
  'library upload': [['library', 'upload', 'FOLDER/secret', '--name', 'a.sh']],
  'actions list': [['actions']],
  'actions get': [['actions', 'get', SAMPLE_ACTION_ID]],
};
const LOCAL: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'app create': [
    ['app', 'create', 'x', '--role', 'Machine.LiveResponse'],
    ['app', 'create', 'x', '--native'],
  ],
  'app list': [['app', 'list']],
  'issuer add': [['issuer', 'add', 'https://a.example', '--audience', 'a']],
  'issuer list': [['issuer', 'list']],
  'issuer remove': [['issuer', 'remove', 'https://a.example']],
  'user create': [['user', 'create', 'anna', '--role', 'Data.View']],
  'user list': [['user', 'list']],
  'user change': [['user', 'change', 'anna', '--enable']],
  'user reset': [['user', 'reset', 'anna']],
  'user delete': [['user', 'delete', TERMINAL_POISON]],
  'app secret add': [['app', 'secret', 'add', TENANT]],
  'app secret list': [['app', 'secret', 'list', TENANT]],
  'app secret remove': [['app', 'secret', 'remove', TENANT, TERMINAL_POISON]],
  'app certificate add': [['app', 'certificate', 'add', TENANT, '--cert', 'FOLDER/secret']],
  'app certificate list': [['app', 'certificate', 'list', TENANT]],
  'app certificate remove': [['app', 'certificate', 'remove', TENANT, TERMINAL_POISON]],
  'app delete': [['app', 'delete', TENANT]],
  'enrol-token create': [['enrol-token', 'create']],
  'enrol-token list': [['enrol-token', 'list']],
  'enrol-token revoke': [['enrol-token', 'revoke', TERMINAL_POISON]],
  'group create': [['group', 'create', TERMINAL_POISON]],
  'group list': [['group', 'list']],
  'group change': [['group', 'change', TERMINAL_POISON, '--approval', 'on']],
  'group delete': [['group', 'delete', TERMINAL_POISON]],
  'machines group': [['machines', 'group', 'host1', 'g']],
  'machines approve': [['machines', 'approve', 'host1']],
  'machines reject': [['machines', 'reject', 'host1']],
  'machines revoke': [['machines', 'revoke', 'host1']],
  'lockdown on': [['lockdown', 'on']],
  'lockdown off': [['lockdown', 'off']],
  'lockdown status': [['lockdown', 'status']],
  'audit verify': [['audit', 'verify']],
  'audit list': [['audit', 'list']],
  'audit export': [
    ['audit', 'export'],
    ['audit', 'export', '--format', 'syslog'],
  ],
  'machines rotate-key': [['machines', 'rotate-key', 'host1']],
  'ca status': [['ca', 'status']],
  'ca rotate': [['ca', 'rotate']],
  'ca switch': [['ca', 'switch']],
  'ca retire': [['ca', 'retire']],
  'ca abandon': [['ca', 'abandon']],
  restored: [['restored']],
};
/** Commands that show nothing but what the person at this terminal gave them; or that have a test of their own below. */
const OWN: readonly string[] = [
  'server',
  'bench fleet',
  'login',
  'author-key create',
  'library sign',
  'library download',
  'library delete',
];

const expectHarmless = ({ out, err }: { readonly out: string; readonly err: string }) => {
  expect(out.match(OBEYED_BY_TERMINALS)).toBeNull();
  expect(err.match(OBEYED_BY_TERMINALS)).toBeNull();
};

const leaves = (command: Command, path: readonly string[] = []): readonly string[] =>
  command.commands.length === 0
    ? [path.join(' ')]
    : command.commands.flatMap((below) => leaves(below, [...path, below.name()]));

test('every command is in one of the lists below', async () => {
  const session = await open();
  const { out } = await session.bare('--help');
  expect(out).toContain('machines');
  const notExpected = () => Promise.reject(new Error('not expected here'));
  const io = { columns: 80 } as Io;
  const program = longarmProgram({
    io,
    runServer: notExpected,
    runFleet: notExpected,
    openAdmin,
    openAuditFile: notExpected,
  });
  const listed = [...Object.keys(REMOTE), ...Object.keys(LOCAL), ...OWN];
  expect(leaves(program).toSorted()).toEqual(listed.toSorted());
});

const placed = (session: Session, argv: readonly string[]) =>
  argv.map((text) => text.replace('FOLDER', session.folder));

for (const [name, lines] of Object.entries(REMOTE)) {
  for (const argv of lines) {
    for (const form of [[], ['--json']]) {
      test(`${[...argv, ...form].join(' ')}: nothing that a terminal obeys`, async () => {
        const session = await open();
        const outcome = await session.run(...placed(session, argv), ...form);
        expectHarmless(outcome);
        const isQuiet = argv.includes('FOLDER/file');
        if (!isQuiet)
          expect([name, outcome.out + outcome.err]).toEqual([name, expect.stringMatching(/\\x1b|\\u202e|\\u\{202e/)]);
      });
    }
  }
}

for (const argv of Object.values(LOCAL).flat()) {
  for (const form of argv.includes('export') ? [[]] : [[], ['--json']]) {
    test(`${JSON.stringify([...argv, ...form])}: nothing that a terminal obeys`, async () => {
      const session = await open();
      expectHarmless(await session.bare(...argv, ...form, '--data', 'd'));
    });
  }
}

test('what a server says of a failure is shown, not obeyed', async () => {
  const evil = () => apiError(400, `Bad${TERMINAL_POISON}`, `why ${TERMINAL_POISON}`);
  const session = await open({ 'GET /api/machines': evil, 'GET /api/libraryfiles': () => new Response(OUTPUT) });
  for (const argv of [['machines'], ['library']]) {
    const outcome = await session.run(...argv);
    expect(outcome.code).not.toBe(0);
    expectHarmless(outcome);
  }
});

test('on a terminal the only escapes are our own', async () => {
  const session = await open(ROUTES, { isTty: true, columns: 100 });
  const { out, err } = await session.run(
    'run',
    'host1',
    '--get',
    '/x',
    '--comment',
    'c',
    '--wait',
    '--out',
    join(session.folder, 'o'),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own escapes are what is taken away
  const own = /\r\u001b\[2K|\u001b\[[0-9;]*m/g;
  expect(out.match(own)).not.toBeNull();
  expectHarmless({ out: out.replace(own, ''), err: err.replace(own, '') });
});

test('--raw is the way to have it as it came; a collected file does not go to a terminal without it', async () => {
  const session = await open(ROUTES, { isTty: true });
  expect((await session.run('output', SAMPLE_ACTION_ID, '0', '--follow', '--raw')).out).toContain(OUTPUT);
  expect((await session.run('result', SAMPLE_ACTION_ID, '0', '--raw')).out).toBe(OUTPUT);
  const refused = await session.run('result', SAMPLE_ACTION_ID, '1', '--out', '-');
  expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--raw') });
  expect((await session.run('result', SAMPLE_ACTION_ID, '1', '--out', '-', '--raw')).out).toBe(OUTPUT);
});

test('JSON is the same document, whatever is escaped in it', async () => {
  const session = await open();
  expect(JSON.parse((await session.run('machines', '--json')).out)).toEqual([MACHINE]);
  expect(JSON.parse((await session.run('result', SAMPLE_ACTION_ID, '0', '--json')).out)).toEqual(JSON.parse(DOCUMENT));
});

test('files are saved under names that no system gives a meaning', async () => {
  const session = await open();
  const folder = join(session.folder, 'saved');
  await session.run('run', 'host1', '--get', '/x', '--comment', 'c', '--wait', '--out', folder);
  const names = await readdir(folder);
  expect(names.length).toBeGreaterThanOrEqual(4);
  for (const name of names) expect([name, OBEYED_BY_TERMINALS.test(name)]).toEqual([name, false]);
  expect(await readFile(join(folder, names.find((name) => name.endsWith('.stdout.txt')) ?? ''), 'utf8')).toBe(OUTPUT);
});

test('a library file with such a name is downloaded and deleted without its acting', async () => {
  const session = await open({
    ...ROUTES,
    'GET /api/libraryfiles': () => pageAnswer('LibraryFiles', [{ ...LIBRARY_FILE, sha256: hash(OUTPUT) }]),
    [`GET /api/libraryfiles/${encodeURIComponent(LIBRARY_FILE.fileName)}/content`]: () => new Response(OUTPUT),
    [`DELETE /api/libraryfiles/${encodeURIComponent(LIBRARY_FILE.fileName)}`]: () =>
      new Response(null, { status: 204 }),
  });
  const out = join(session.folder, 'downloaded');
  expectHarmless(await session.run('library', 'download', LIBRARY_FILE.fileName, '--out', out));
  expectHarmless(await session.run('library', 'delete', LIBRARY_FILE.fileName));
});

test('a file whose name is so is signed without its acting', async () => {
  const session = await open();
  const path = join(session.folder, TERMINAL_POISON.replaceAll('\0', ''));
  await writeFile(path, 'x');
  expectHarmless(await session.bare('library', 'sign', path, '--key', path, '--any-machine', '--use', 'PutFile'));
});
