/** A server of the fleet's own: the real program as a process, on a temporary folder, with limits out of the way. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdminDoor } from '@longarm/contract/admin/operations';

export type FleetTarget = {
  readonly url: string;
  readonly token: string;
  readonly client: { readonly id: string; readonly secret: string } | null;
  /** Process id of a server of its own; null for another's. */
  readonly pid: number | null;
  readonly close: () => Promise<void>;
};

export type OwnServerIo = {
  /** Starts the `longarm` program; arguments follow. */
  readonly longarm: readonly string[];
  readonly openAdmin: (dataFolder: string) => Promise<AdminDoor>;
};

/** Rates that would bound the bench instead of the server. */
const OUT_OF_THE_WAY = [
  'runs-per-minute',
  'reads-per-minute',
  'reads-per-hour',
  'sessions',
  'enrols-per-second',
  'offers-per-second',
];

const START_MS = 30_000;

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const untilListening = async (child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>): Promise<void> => {
  const decoder = new TextDecoder();
  let said = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (!said.includes('listening on')) continue;
    clearTimeout(timer);
    return;
  }
  clearTimeout(timer);
  throw new Error(`the server of the fleet did not start: ${(await child.stderr.text()).trim() || 'it said nothing'}`);
};

type Wish = {
  readonly isTls: boolean;
  readonly gateways?: number;
  /** More agents come than one address has ports for: all addresses of loopback are needed, and so all of this machine. */
  readonly isWide?: boolean;
  readonly flags?: readonly string[];
};

export type OwnServer = FleetTarget & {
  /** kill -9, and start again on the same folder and port. */
  readonly crash: () => Promise<void>;
  readonly pidNow: () => number;
};

export const startOwnServer = async (io: OwnServerIo, wish: Wish): Promise<OwnServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-fleet-'));
  const port = await freePort();
  const limits = OUT_OF_THE_WAY.flatMap((name) => ['--limit', `${name}=1000000000`]);
  const tls = wish.isTls ? 'own' : 'off';
  const host = wish.isWide === true ? '0.0.0.0' : '127.0.0.1';
  const place = [
    '--data',
    folder,
    '--listen',
    `${host}:${port}`,
    '--public-url',
    `http${wish.isTls ? 's' : ''}://127.0.0.1:${port}`,
  ];
  const wide = wish.isWide === true && !wish.isTls ? ['--insecure'] : [];
  const gateways = ['--gateways', String(wish.gateways ?? 0)];
  const flags = [...place, ...wide, '--tls', tls, ...gateways, '--log-level', 'error', ...limits];
  const start = async () => {
    const command = [...io.longarm, 'server', ...flags, ...(wish.flags ?? [])];
    const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    await untilListening(child);
    return child;
  };
  let child = await start();
  const end = async () => {
    child.kill('SIGKILL');
    await child.exited;
  };
  const admin = await io.openAdmin(folder);
  const roles = ['Machine.LiveResponse', 'Machine.ReadWrite.All', 'Machine.Read.All', 'Library.Manage'] as const;
  const { token } = await admin.call('createEnrolToken', { tags: ['fleet'], maxUses: null, validHours: null });
  const { clientId, clientSecret } = await admin.call('createApplication', { name: 'fleet', roles: [...roles] });
  await admin.close();
  return {
    url: `${wish.isTls ? 'https' : 'http'}://127.0.0.1:${port}`,
    token,
    client: { id: clientId, secret: clientSecret },
    pid: child.pid,
    pidNow: () => child.pid,
    crash: async () => {
      await end();
      child = await start();
    },
    close: async () => {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
