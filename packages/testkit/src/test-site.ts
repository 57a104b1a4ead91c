/** A site of real processes: one server, any number of agents, on loopback and in temporary folders. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdminDoor } from '@longarm/contract/admin/operations';
import { openAdmin } from '@longarm/server/open-admin';
import { type Answer, type ApiCaller, apiCaller, type Json } from './api-caller.ts';
import { gatewayFlags, type Program, type StartOptions, startProgram } from './programs.ts';
import { until } from './until.ts';

export type TestAgent = {
  readonly machineId: string;
  readonly state: string;
  readonly program: () => Program;
  /** Kills it at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same state folder. */
  readonly start: () => Promise<void>;
};

export type TestSite = {
  readonly url: string;
  readonly folder: string;
  readonly api: ApiCaller;
  readonly admin: AdminDoor;
  readonly server: () => Program;
  /** kill -9 and start again on the same folder and port. */
  readonly crashServer: () => Promise<void>;
  readonly killServer: () => Promise<void>;
  readonly startServer: () => Promise<void>;
  /** An agent, enrolled and connected. */
  readonly agent: (options?: StartOptions) => Promise<TestAgent>;
  readonly run: (
    machine: string,
    commands: readonly object[],
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
  readonly action: (id: string) => Promise<Json>;
  /** The action, as soon as the fact holds. */
  readonly until: (id: string, holds: (action: Json) => boolean, timeoutMs?: number) => Promise<Json>;
  readonly close: () => Promise<void>;
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const GENEROUS = ['runs-per-minute=100000', 'reads-per-minute=1000000', 'reads-per-hour=10000000'].flatMap((limit) => [
  '--limit',
  limit,
]);

export const putFile = (name: string, more: Readonly<Record<string, string>> = {}): object => ({
  type: 'PutFile',
  params: [{ key: 'FileName', value: name }, ...Object.entries(more).map(([key, value]) => ({ key, value }))],
});
export const runScript = (name: string, args?: string): object => ({
  type: 'RunScript',
  params: [{ key: 'ScriptName', value: name }, ...(args === undefined ? [] : [{ key: 'Args', value: args }])],
});
export const getFile = (path: string): object => ({ type: 'GetFile', params: [{ key: 'Path', value: path }] });

const FINAL = ['Succeeded', 'Failed', 'TimeOut', 'Cancelled'];
export const isFinal = (action: Json): boolean => FINAL.includes(action.status);

const agentOf = async (start: () => Program, state: string): Promise<TestAgent> => {
  let program = start();
  const connected = async () => (await program.line(/connected as ([0-9a-f]{40})/))[1] ?? '';
  const machineId = await connected();
  return {
    machineId,
    state,
    program: () => program,
    kill: async () => {
      await program.end('SIGKILL');
    },
    start: async () => {
      program = start();
      await connected();
    },
  };
};

/** `options` are those of the server's process; each agent has its own. */
export const openSite = async (flags: readonly string[] = [], options: StartOptions = {}): Promise<TestSite> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-site-'));
  const data = join(folder, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const serverArgs = [
    'server',
    '--data',
    data,
    '--listen',
    `127.0.0.1:${port}`,
    '--tls',
    'off',
    '--log-level',
    'warn',
    ...GENEROUS,
    ...gatewayFlags(),
    ...flags,
  ];
  let server = startProgram('longarm', serverArgs, options);
  await server.line(/^listening on http/m);
  const admin = await openAdmin(data);
  const api = await apiCaller({ server: url, admin });
  const { token } = await admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
  const tokenFile = join(folder, 'token.txt');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const agents: TestAgent[] = [];
  const startServer = async () => {
    server = startProgram('longarm', serverArgs, options);
    await server.line(/^listening on http/m);
  };
  const killServer = async () => {
    await server.end('SIGKILL');
  };
  const action = async (id: string) => (await api.call(`/api/machineactions/${id}`)).json;
  return {
    url,
    folder,
    api,
    admin,
    server: () => server,
    killServer,
    startServer,
    crashServer: async () => {
      await killServer();
      await startServer();
    },
    agent: async (agentOptions = {}) => {
      const state = join(folder, `agent-${agents.length}`);
      await mkdir(state, { mode: 0o700 });
      const start = () =>
        startProgram('longarm-agent', ['--server', url, '--token-file', tokenFile, '--state', state], agentOptions);
      const agent = await agentOf(start, state);
      agents.push(agent);
      return agent;
    },
    run: (machine, commands, headers = {}) =>
      api.post(`/api/machines/${machine}/runliveresponse`, { Commands: commands, Comment: 'e2e' }, headers),
    action,
    until: (id, holds, timeoutMs) => until(() => action(id), holds, timeoutMs),
    close: async () => {
      await Promise.all([...agents.map((agent) => agent.program().end('SIGKILL')), server.end('SIGKILL')]);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
