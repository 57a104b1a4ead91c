/** `ssh` with a connection that is kept (ControlMaster), to an sshd on loopback with keys and folder of its own. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@longarm/testkit/until';
import { SCRIPT } from './local-start.ts';

const SSHD = '/usr/sbin/sshd';

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const makeKey = async (path: string): Promise<void> => {
  const made = Bun.spawn(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path]);
  if ((await made.exited) !== 0) throw new Error(`ssh-keygen made no ${path}`);
};

const listenWithSshd = async (folder: string) => {
  await Promise.all(['host', 'user'].map((name) => makeKey(join(folder, name))));
  await writeFile(join(folder, 'authorized'), await Bun.file(join(folder, 'user.pub')).text(), { mode: 0o600 });
  // privilege separation needs it, and only a service unit makes it
  await mkdir('/run/sshd', { recursive: true }).catch(() => undefined);
  const port = await freePort();
  const options = [
    `HostKey=${join(folder, 'host')}`,
    `AuthorizedKeysFile=${join(folder, 'authorized')}`,
    `PidFile=${join(folder, 'pid')}`,
    'ListenAddress=127.0.0.1',
    'PasswordAuthentication=no',
    'StrictModes=no',
    'UsePAM=no',
    // what this user's shell reads at its start is nothing of ssh's
    `SetEnv=HOME=${folder}`,
  ].flatMap((option) => ['-o', option]);
  const config = join(folder, 'sshd_config');
  await writeFile(config, '');
  const server = Bun.spawn([SSHD, '-D', '-p', String(port), '-f', config, ...options], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  return { server, port };
};

/** Null where there is no sshd, or it lets nobody in. */
export const keptSsh = async () => {
  if (!(await Bun.file(SSHD).exists())) return null;
  const folder = await mkdtemp(join(tmpdir(), 'longarm-ssh-'));
  await chmod(folder, 0o700);
  const script = join(folder, 'hello.sh');
  await writeFile(script, SCRIPT);
  const { server, port } = await listenWithSshd(folder);
  const options = [
    `ControlPath=${join(folder, 'control')}`,
    'ControlMaster=auto',
    'ControlPersist=60',
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${join(folder, 'known')}`,
    'BatchMode=yes',
    'LogLevel=ERROR',
  ].flatMap((option) => ['-o', option]);
  const target = [...options, '-i', join(folder, 'user'), '-p', String(port), '127.0.0.1'];
  const call = async (...words: readonly string[]): Promise<number> => {
    const child = Bun.spawn(['ssh', ...target, ...words], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
    await new Response(child.stdout).text();
    return child.exited;
  };
  const close = async () => {
    await call('-O', 'exit');
    server.kill();
    await server.exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(
      () => call('true'),
      (code) => code === 0,
      5_000,
    );
  } catch {
    await close();
    return null;
  }
  return {
    run: async (): Promise<number> => {
      const began = performance.now();
      if ((await call('bash', script)) !== 0) throw new Error('ssh failed');
      return performance.now() - began;
    },
    close,
  };
};
