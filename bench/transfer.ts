/**
 * File transfer through the whole product against a bare stream-hash-write of the same bytes, in one run:
 *
 *   bun --no-install bench/transfer.ts [MiB]
 *
 * Prints MiB a second of each way, its ratio to the bare one, and what server and agent grew by over idle.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@longarm/testkit/api-caller';
import { writeLargeFile } from '@longarm/testkit/large-file';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { getFile, isFinal, openSite, putFile } from '@longarm/testkit/test-site';

const MIB = 1_048_576;
const mib = Number(process.argv[2] ?? 1_024);
const ROUNDS = 3;

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const since = performance.now();
  await work();
  return mib / ((performance.now() - since) / 1_000);
};

/** The best that the same steps could do: read, send over loopback, hash, write, sync. */
const bare = async (from: string, to: string): Promise<void> => {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(Bun.file(from)) });
  const file = await open(to, 'w');
  try {
    const hasher = new Bun.CryptoHasher('sha256');
    const answer = await fetch(`http://127.0.0.1:${server.port}/`);
    for await (const chunk of answer.body ?? []) {
      hasher.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
    await server.stop(true);
    await rm(to);
  }
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const limits = ['library-mib', 'get-mib'].flatMap((name) => ['--limit', `${name}=${mib + 1}`]);
const site = await openSite(limits);
try {
  const agent = await site.agent();
  const path = join(site.folder, 'large.bin');
  await writeLargeFile(path, mib);
  const form = new FormData();
  form.append('file', Bun.file(path), 'large.bin');
  await site.api.call('/api/libraryfiles', { method: 'POST', body: form });
  const pids = [site.server().pid, agent.program().pid];
  const run = async (command: object): Promise<void> => {
    const { json } = await site.run(agent.machineId, [command]);
    const action: Json = await site.until(json.id, isFinal, 600_000);
    if (action.status !== 'Succeeded') throw new Error(JSON.stringify(action.commands));
  };
  const speeds: Record<'bare' | 'PutFile' | 'GetFile', number[]> = { bare: [], PutFile: [], GetFile: [] };
  const measured = await growthDuring(pids, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      speeds.bare.push(await timed(() => bare(path, join(site.folder, 'bare.bin'))));
      speeds.PutFile.push(await timed(() => run(putFile('large.bin'))));
      speeds.GetFile.push(await timed(() => run(getFile('large.bin'))));
      await rm(join(agent.state, 'working-folder', 'large.bin'));
    }
  });
  const best = median(speeds.bare);
  for (const [name, values] of Object.entries(speeds))
    console.log(`${name}: ${median(values).toFixed(0)} MiB/s, ${((100 * median(values)) / best).toFixed(0)} % of bare`);
  const [server = 0, device = 0] = measured.growth;
  console.log(`growth over idle: server ${(server / MIB).toFixed(0)} MiB, agent ${(device / MIB).toFixed(0)} MiB`);
} finally {
  await site.close();
}
