/** The port that everything comes in by, when many come at once and when somebody else wants it. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { readConfig } from '../src/config.ts';
import { startServer } from '../src/start.ts';
import { openLog } from '../src/telemetry/log.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer([]);
});
afterEach(() => server.stop());

/** States of TCP in /proc/net/tcp (proc(5)). */
const SYN_SENT = '02';

/** Connections to the port that the kernel has not taken in. */
const notTakenIn = (port: number): number => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , remote, state]) => remote?.endsWith(`:${hex}`) === true && state === SYN_SENT).length;
};

test.if(process.platform === 'linux')(
  'fifteen hundred that come within one turn of the loop are all taken in',
  async () => {
    const port = Number(new URL(server.url).port);
    const data = () => {};
    const coming = Array.from({ length: 1_500 }, () =>
      Bun.connect({ hostname: '127.0.0.1', port, socket: { data, open: (socket) => void socket.end() } }),
    );
    expect(notTakenIn(port)).toBe(0);
    await Promise.all(coming);
  },
);

test('a second server does not get the port', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-listen-'));
  try {
    const { host } = new URL(server.url);
    const argv = ['--data', folder, '--listen', host, '--tls', 'off', '--log-level', 'silent'];
    await expect(startServer(readConfig(argv, {}), openLog('silent'))).rejects.toThrow();
  } finally {
    await rm(folder, { recursive: true });
  }
});
