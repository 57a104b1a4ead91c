// Makes the checkout ready: dependencies as locked, and the pinned runtime. Plain Node 20, since nothing else is
// there yet. Quiet and quick when there is nothing to do.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.longarm-setup');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const bun = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'bun.cmd' : 'bun');

const runtimeWorks = () =>
  existsSync(bun) &&
  spawnSync(bun, ['--version'], { stdio: 'ignore', shell: process.platform === 'win32' }).status === 0;
const isReady = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(bun);

if (!isReady()) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    console.error(
      `setup: expected Node 20 or newer, got ${process.versions.node}. Install a newer Node and try again.`,
    );
    process.exit(1);
  }
  console.error('setup: installing dependencies (once per change of package-lock.json)…');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // not `npm ci`: it wants every optional package for other systems in the lock file, and the registry lacks some
  execFileSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  // where install scripts are switched off the `bun` package is a stub until its own script has run
  if (!runtimeWorks())
    execFileSync(process.execPath, [join(root, 'node_modules', 'bun', 'install.js')], { cwd: root, stdio: 'inherit' });
  if (!runtimeWorks()) {
    console.error('setup: the runtime in node_modules/.bin/bun does not start. Remove node_modules and try again.');
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}
