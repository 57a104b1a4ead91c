/** The real server in this process: real sockets on loopback, a real store in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdminDoor } from '@longarm/contract/admin/operations';
import { readConfig } from '@longarm/server/config';
import { openAdmin } from '@longarm/server/open-admin';
import { type RunningServer, type ServerTime, startServer, systemWorld } from '@longarm/server/start';
import { type Log, openLog } from '@longarm/server/telemetry/log';
import { type ApiCaller, apiCaller } from './api-caller.ts';
import { gatewayFlags, longarmCommand } from './programs.ts';
import { ScriptedDevice } from './scripted-device.ts';

export type TestServer = {
  readonly url: string;
  readonly dataFolder: string;
  readonly admin: AdminDoor;
  /** An application with all roles that these tests need. */
  readonly api: ApiCaller;
  readonly enrolToken: string;
  /** A new device, enrolled and connected. */
  readonly device: (name?: string) => Promise<ScriptedDevice>;
  /** A new device, enrolled only. */
  readonly absentDevice: (name?: string) => Promise<ScriptedDevice>;
  /** The metrics as they are exposed now; throws where they are off. */
  readonly metrics: () => Promise<string>;
  /** Stops the server and starts it again on the same folder and port. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Limits with which a test is not held up by what it does not test. */
const GENEROUS = ['runs-per-minute=100000', 'reads-per-minute=100000', 'reads-per-hour=1000000'];

export type GivenParts = {
  /** A clock that the test moves, in place of the system's. */
  readonly time?: ServerTime;
  /** Keeps what the server says, in place of standard error. */
  readonly log?: Log;
  /** Starts the program of gateways, in place of the plain one; arguments follow. */
  readonly longarm?: readonly string[];
};

export const startTestServer = async (flags: readonly string[] = [], given: GivenParts = {}): Promise<TestServer> => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'longarm-test-'));
  const start = (port: number): Promise<RunningServer> => {
    const limits = GENEROUS.flatMap((limit) => ['--limit', limit]);
    const argv = [
      '--data',
      dataFolder,
      '--listen',
      `127.0.0.1:${port}`,
      '--tls',
      'off',
      '--log-level',
      'error',
      ...limits,
      ...gatewayFlags(),
      ...flags,
    ];
    const config = readConfig(argv, {});
    return startServer(config, given.log ?? openLog(config.logLevel), {
      ...systemWorld(given.longarm ?? longarmCommand()),
      ...given.time,
    });
  };
  let running = await start(0);
  const { url } = running;
  const admin = await openAdmin(dataFolder);
  const api = await apiCaller({ server: url, admin });
  const { token: enrolToken } = await admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
  const absentDevice = (name = 'host1.lab.example') =>
    ScriptedDevice.enrol({
      server: url,
      enrolToken,
      name,
      ...(given.time === undefined ? {} : { now: given.time.now }),
    });
  return {
    url,
    dataFolder,
    admin,
    api,
    enrolToken,
    absentDevice,
    device: async (name) => {
      const device = await absentDevice(name);
      await device.connect();
      return device;
    },
    metrics: async () => (await fetch(`http://127.0.0.1:${running.metricsPort}/metrics`)).text(),
    restart: async () => {
      await running.stop();
      running = await start(Number(new URL(url).port));
    },
    stop: async () => {
      await running.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
};
