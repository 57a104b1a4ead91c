/** Every benchmark with a bar runs, in its quick form, and prints its ratio: none of them rots. Nothing is said about speed. */
import { describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BENCHES = [
  'latency',
  'queries',
  'group-commit',
  'fan-out',
  'post',
  'connections',
  'gateways',
  'herd',
  'transfer',
  'at-rest',
  'many-sequences',
] as const;
const LIMIT_MS = 120_000;

describe('quick benchmarks print their ratio', () => {
  for (const name of BENCHES)
    test(
      name,
      async () => {
        const command = [process.execPath, '--no-install', `bench/${name}.ts`, '--quick'];
        const bench = Bun.spawn(command, { cwd: ROOT, stdout: 'pipe', stderr: 'pipe' });
        const [said, faults, code] = await Promise.all([bench.stdout.text(), bench.stderr.text(), bench.exited]);
        expect([code, code === 0 ? '' : faults]).toEqual([0, '']);
        expect(said).toMatch(/^ratio: [0-9.]+ /m);
      },
      LIMIT_MS,
    );
});
