/** The runtime that an executable stands on: from the npm registry, checked against the lock file, doors closed. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '@longarm/contract/targets';
import { closeDoors } from './close-doors.ts';
import { RUNTIME_PACKAGES } from './targets.ts';

/** Rises when what is done to a runtime changes: what lies in the cache was made the old way. */
const CACHE_EDITION = 1;

type Places = { readonly root: string; readonly cache: string };

const run = async (command: readonly string[], cwd: string): Promise<string> => {
  const child = Bun.spawn([...command], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const [text, status] = await Promise.all([child.stdout.text(), child.exited]);
  if (status !== 0) throw new Error(`\`${command.slice(0, 3).join(' ')}\` ended with ${status}`);
  return text;
};

const requireIntegrity = async (root: string, packageName: string, tarball: string): Promise<void> => {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const expected: unknown = lock.packages?.[`node_modules/${packageName}`]?.integrity;
  const digest = new Bun.CryptoHasher('sha512').update(await readFile(tarball)).digest('base64');
  if (expected === `sha512-${digest}`) return;
  throw new Error(
    `${packageName}: expected the package that package-lock.json names (${expected}), got sha512-${digest}.`,
  );
};

/** The runtime for another system, as published. */
const fetchRuntime = async (root: string, packageName: string, folder: string): Promise<Buffer> => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const spec = `${packageName}@${Bun.version}`;
  const told = await run([npm, 'pack', spec, '--pack-destination', folder, '--loglevel=error'], root);
  const tarball = told.trim().split('\n').at(-1) ?? '';
  await requireIntegrity(root, packageName, join(folder, tarball));
  await run(['tar', '-xzf', tarball], folder);
  return readFile(join(folder, 'package', 'bin', packageName.includes('windows') ? 'bun.exe' : 'bun'));
};

/** Path of the runtime for the target; null stands for this machine, whose runtime is the one that runs this. */
export const baseRuntime = async ({ root, cache }: Places, target: Target | null): Promise<string> => {
  const name = target === null ? 'this-machine' : RUNTIME_PACKAGES[target].replace('@oven/', '');
  const path = join(cache, `${name}-${Bun.version}-${CACHE_EDITION}`);
  if (await Bun.file(path).exists()) return path;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'unpack-'));
  try {
    const runtime =
      target === null ? await readFile(process.execPath) : await fetchRuntime(root, RUNTIME_PACKAGES[target], folder);
    closeDoors(runtime);
    const made = join(folder, 'closed');
    await writeFile(made, runtime, { mode: 0o755 });
    await rename(made, path);
    return path;
  } finally {
    await rm(folder, { recursive: true });
  }
};
