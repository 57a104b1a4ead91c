/** A server and a device on this machine, each a process of its own, in a temporary folder. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@longarm/client/create-client';
import type { ClientWorld } from '@longarm/client/world';
import type { MachineEntity } from '@longarm/contract/machine';
import { z } from 'zod';
import { askLongarm, DemoFault, logTail, type RunningProgram, type Start, startProgram } from './program.ts';
import type { Say } from './say.ts';

const START_MS = 20_000;
const ROLES = ['Machine.LiveResponse', 'Machine.ReadWrite.All', 'Library.Manage'] as const;

const Application = z.object({ tenantId: z.string(), clientId: z.string(), clientSecret: z.string() });
const EnrolToken = z.object({ token: z.string() });

export type Stage = {
  readonly folder: string;
  /** Where results go: it outlives the demo. */
  readonly resultFolder: string;
  readonly configFolder: string;
  readonly url: string;
  readonly caPath: string;
  readonly client: Client;
  readonly machine: MachineEntity;
};

type Launch = Pick<Start, 'name' | 'args' | 'logPath'>;

/** What has been started so far, so that everything ends whatever happens. */
export type Ensemble = {
  readonly folder: string;
  readonly programs: RunningProgram[];
  readonly launch: (start: Launch) => RunningProgram;
  /** Makes everything that waits end with this reason; nothing is launched afterwards. */
  readonly end: (reason: Error) => void;
  /** Aborted when the play has to end before its time: a program ended, or the person wants it. */
  readonly signal: AbortSignal;
};

export const openEnsemble = async (): Promise<Ensemble> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-demo-'));
  const programs: RunningProgram[] = [];
  const controller = new AbortController();
  const { signal } = controller;
  const end = (reason: Error): void => controller.abort(reason);
  const launch = (start: Launch): RunningProgram => {
    signal.throwIfAborted();
    const program = startProgram({ ...start, onOwnEnd: end, signal });
    programs.push(program);
    return program;
  };
  return { folder, programs, launch, end, signal };
};

/** Ends all programs, the last one first, and removes everything but the results. */
export const closeEnsemble = async (ensemble: Ensemble, keepResults: boolean): Promise<void> => {
  for (const program of ensemble.programs.splice(0).reverse()) await program.stop();
  if (!keepResults) return await rm(ensemble.folder, { recursive: true, force: true });
  for (const part of ['server', 'device', 'config', 'library']) {
    await rm(join(ensemble.folder, part), { recursive: true, force: true });
  }
};

const startServer = async (ensemble: Ensemble): Promise<{ url: string; dataFolder: string }> => {
  const folder = join(ensemble.folder, 'server');
  const dataFolder = join(folder, 'data');
  await mkdir(folder, { recursive: true });
  const server = ensemble.launch({
    name: 'longarm',
    args: ['server', '--data', dataFolder, '--listen', '127.0.0.1:0'],
    logPath: join(folder, 'server.log'),
  });
  const [, url = ''] = await server.line(/^listening on (https?:\/\/\S+)/m, START_MS);
  return { url, dataFolder };
};

const createApplication = async (ensemble: Ensemble, server: { url: string; dataFolder: string }) => {
  const roles = ROLES.flatMap((role) => ['--role', role]);
  const args = ['app', 'create', 'demo', ...roles, '--data', server.dataFolder];
  const application = Application.parse(await askLongarm(args));
  const configFolder = join(ensemble.folder, 'config');
  const caPath = join(server.dataFolder, 'tls', 'ca.pem');
  await mkdir(configFolder, { mode: 0o700 });
  const secretPath = join(configFolder, 'secret');
  await writeFile(secretPath, application.clientSecret, { mode: 0o600 });
  const login = ['login', '--server', server.url, '--client-id', application.clientId];
  await askLongarm([...login, '--secret-file', secretPath, '--ca', caPath], { XDG_CONFIG_HOME: configFolder });
  return { application, configFolder, caPath };
};

const startDevice = async (ensemble: Ensemble, server: { url: string; dataFolder: string }): Promise<string> => {
  const folder = join(ensemble.folder, 'device');
  await mkdir(folder, { recursive: true });
  const { token } = EnrolToken.parse(
    await askLongarm([
      'enrol-token',
      'create',
      '--tag',
      'demo',
      '--uses',
      '1',
      '--hours',
      '1',
      '--data',
      server.dataFolder,
    ]),
  );
  const tokenPath = join(folder, 'token');
  await writeFile(tokenPath, token, { mode: 0o600 });
  const agent = ensemble.launch({
    name: 'longarm-agent',
    args: ['--server', server.url, '--token-file', tokenPath, '--state', join(folder, 'state')],
    logPath: join(folder, 'agent.log'),
  });
  const [, machineId = ''] = await agent.line(/^connected as (\S+)/m, START_MS);
  return machineId;
};

const POLL_MS = 200;

const untilOnline = async (ensemble: Ensemble, client: Client, machineId: string): Promise<MachineEntity> => {
  for (const until = Date.now() + START_MS; Date.now() < until; await Bun.sleep(POLL_MS)) {
    ensemble.signal.throwIfAborted();
    for await (const machine of client.listMachines()) if (machine.id === machineId && machine.isOnline) return machine;
  }
  throw new DemoFault(`The machine ${machineId} is not listed as online.`);
};

export const setStage = async (ensemble: Ensemble, parts: { world: ClientWorld; say: Say }): Promise<Stage> => {
  const { say } = parts;
  const server = await startServer(ensemble);
  await say.done(`server at ${server.url}, its own CA, data in ${server.dataFolder}`);
  const { application, configFolder, caPath } = await createApplication(ensemble, server);
  await say.done(`application ${application.clientId}, and a command line that is signed in`);
  const machineId = await startDevice(ensemble, server);
  const { clientId, clientSecret } = application;
  const client = createClient({
    server: server.url,
    credentials: { tenant: application.tenantId, clientId, clientSecret },
    transport: fetch,
    world: parts.world,
    caPem: await readFile(caPath, 'utf8'),
  });
  const machine = await untilOnline(ensemble, client, machineId);
  await say.done(`device ${machine.computerDnsName} enrolled and is online as ${machineId}`);
  const resultFolder = join(ensemble.folder, 'results');
  return { folder: ensemble.folder, resultFolder, configFolder, url: server.url, caPath, client, machine };
};

/** The end of each program's log, for when something went wrong. */
export const tails = async (ensemble: Ensemble, only: string | null): Promise<readonly string[]> => {
  const paths = ensemble.programs.map((program) => program.logPath).filter((path) => only === null || path === only);
  const blocks = await Promise.all(paths.map(async (path) => [`--- ${path}`, ...(await logTail(path, 15))]));
  return blocks.flat();
};
