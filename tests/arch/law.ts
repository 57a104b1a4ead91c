/**
 * The import law: who may know whom. A room is a folder directly below a package's `src`. `start.ts` and `main.ts`,
 * which wire everything, with the room `wiring`, and test files are exempt. CONTRIBUTING.md says it in prose.
 */

/** Packages → the packages of ours that they may import. `testkit` may import anyone and only tests import it. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  client: ['contract'],
  server: ['contract'],
  agent: ['contract'],
  fleet: ['contract'],
  cli: ['contract', 'client'],
  console: ['contract', 'client'],
  longarm: ['contract', 'server', 'cli', 'fleet'],
  testkit: ['contract', 'server', 'agent', 'client', 'fleet', 'cli'],
};

/**
 * What a room may import of another: `all` of it, its `ports` (`ports.ts`, which promises and does nothing), or ports
 * and pure `rules` (a file that knows nothing but the contract and other such files).
 */
export type Extent = 'all' | 'rules' | 'ports';
export type RoomLaw = Readonly<Record<string, Extent>>;

const each = (rooms: readonly string[], extent: Extent): RoomLaw =>
  Object.fromEntries(rooms.map((room): [string, Extent] => [room, extent]));

const CORE = ['actions', 'library', 'machines', 'audit'] as const;
const GATEKEEPERS = ['auth', 'limits'] as const;

const core: RoomLaw = each(CORE, 'rules');
const gatekeeper: RoomLaw = { ...each(CORE, 'rules'), telemetry: 'all' };
/** Doors do not know each other, and no adapter; `http` is the form of requests and answers that they share. */
const door: RoomLaw = { ...each([...CORE, ...GATEKEEPERS], 'all'), http: 'all', telemetry: 'all' };
const engine: RoomLaw = { ...each(CORE, 'all'), telemetry: 'all' };
/** Adapters keep the promises of ports, and repeat the guards of rules. */
const memory: RoomLaw = { ...each([...CORE, ...GATEKEEPERS], 'rules'), telemetry: 'all' };

const SERVER: Readonly<Record<string, RoomLaw>> = {
  api: door,
  gateway: door,
  transfer: door,
  admin: door,
  installer: door,
  /** Carries sockets and requests between processes; what they mean is the business of the doors that it is handed. */
  relay: { http: 'all', telemetry: 'all' },
  'sign-in': door,
  http: { telemetry: 'all' },
  auth: gatekeeper,
  limits: gatekeeper,
  actions: core,
  library: core,
  machines: core,
  audit: core,
  dispatch: engine,
  store: memory,
  blobs: memory,
  bus: memory,
  telemetry: {},
};

/** A command is tested without a server, and the link without a command. */
const AGENT: Readonly<Record<string, RoomLaw>> = {
  install: { identity: 'all', commands: 'all', platform: 'all' },
  identity: { platform: 'all' },
  link: { inbox: 'all', outbox: 'all', live: 'all', identity: 'all', journal: 'all' },
  inbox: { identity: 'all', journal: 'all', platform: 'all' },
  runner: {
    commands: 'all',
    inbox: 'all',
    outbox: 'all',
    journal: 'all',
    transfer: 'all',
    process: 'all',
    platform: 'all',
  },
  commands: { policy: 'all', process: 'all', transfer: 'all', platform: 'all' },
  policy: { identity: 'all', platform: 'all' },
  process: { platform: 'all' },
  live: { process: 'all', platform: 'all' },
  transfer: { platform: 'all' },
  outbox: { journal: 'all', platform: 'all' },
  journal: { platform: 'all' },
  platform: {},
};

/** Packages that have rooms. In the others only cycles are forbidden. */
export const ROOMS: Readonly<Record<string, Readonly<Record<string, RoomLaw>>>> = { server: SERVER, agent: AGENT };

/** Files that wire a program together, and so know everything in their package. */
export const WIRING: readonly string[] = [
  'start.ts',
  'main.ts',
  'data-folder.ts',
  'open-admin.ts',
  'gateway-process.ts',
];

/** The room of wiring that one page cannot hold: it knows everything, and only the files above know it. */
export const WIRING_ROOM = 'wiring';

/** Files that may meet the world: its time, environment and console. Others are handed what they need. */
export const WORLDLY: readonly RegExp[] = [
  /^packages\/[^/]+\/src\/(?:main|start|config|open-admin|gateway-process)\.ts$/,
  /^packages\/[^/]+\/src\/wiring\//,
  /^packages\/testkit\//,
  /^scripts\//,
  /^bench\//,
];
