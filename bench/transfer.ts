/**
 * File transfer through the whole product against a bare stream-hash-write of the same bytes, in one run:
 *
 *   bun --no-install bench/transfer.ts [MiB] [rounds] | --quick
 *
 * Prints MiB a second of each way, its ratio to the bare one of the same direction, and what server and agent grew by
 * over idle. The four take turns, so that what else the machine does meets them alike; medians are compared.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@longarm/testkit/api-caller';
import { writeLargeFile } from '@longarm/testkit/large-file';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { getFile, openSite, putFile, type TestAgent, type TestSite } from '@longarm/testkit/test-site';
import { bareTransfer } from './bare-transfer.ts';

const MIB = 1_048_576;
const isQuick = process.argv.includes('--quick');
const mib = isQuick ? 4 : Number(process.argv[2] ?? 1_024);
const rounds = isQuick ? 1 : Number(process.argv[3] ?? 5);

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const since = performance.now();
  await work();
  return mib / ((performance.now() - since) / 1_000);
};

const newSpeeds = (): number[] => [];

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** What was written before must not be on its way to the disk while others are measured. */
const synced = async (path: string): Promise<void> => {
  const file = await open(path, 'r');
  await file.sync();
  await file.close();
};

const runner = (site: TestSite, agent: TestAgent) => async (command: object) => {
  const { json } = await site.run(agent.machineId, [command]);
  // the watch ends with the action; asking again and again would take from the server what is measured
  await site.api.call(`/api/machineactions/${json.id}/events`);
  const action: Json = await site.action(json.id);
  if (action.status !== 'Succeeded') throw new Error(JSON.stringify(action.commands));
};

const spread = (values: readonly number[]): string =>
  `${median(values).toFixed(0)} MiB/s (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;

const measure = async (site: TestSite, path: string) => {
  const agent = await site.agent({ env: { LONGARM_WORK_MIB: '8192' } });
  const form = new FormData();
  form.append('file', Bun.file(path), 'large.bin');
  await site.api.call('/api/libraryfiles', { method: 'POST', body: form });
  const run = runner(site, agent);
  const bare = await bareTransfer(path, join(site.folder, 'bare.bin'));
  const ways = [
    { name: 'bare down', speeds: newSpeeds(), work: bare.down },
    { name: 'PutFile', speeds: newSpeeds(), work: () => run(putFile('large.bin')) },
    { name: 'bare up', speeds: newSpeeds(), work: bare.up },
    { name: 'GetFile', speeds: newSpeeds(), work: () => run(getFile(path)) },
  ] as const;
  const { growth } = await growthDuring([site.server().pid, agent.program().pid], async () => {
    for (let round = 0; round < rounds; round++) {
      for (const { speeds, work } of ways) speeds.push(await timed(work));
      await rm(join(agent.state, 'working-folder', 'large.bin'));
    }
  });
  bare.stop();
  return { ways, growth };
};

const limits = ['library-mib', 'get-mib'].flatMap((name) => ['--limit', `${name}=${mib + 1}`]);
const site = await openSite(limits);
try {
  const path = join(site.folder, 'large.bin');
  await writeLargeFile(path, mib);
  await synced(path);
  const { ways, growth } = await measure(site, path);
  const [bareDown, put, bareUp, get] = ways;
  for (const { name, speeds } of ways) console.log(`${name}: ${spread(speeds)}`);
  const ofBare = (way: (typeof ways)[number], bar: (typeof ways)[number]) => {
    const ratio = median(way.speeds) / median(bar.speeds);
    console.log(`${way.name}: ${(100 * ratio).toFixed(0)} % of ${bar.name}`);
    return ratio;
  };
  const slower = Math.min(ofBare(put, bareDown), ofBare(get, bareUp));
  const [server = 0, device = 0] = growth;
  console.log(`growth over idle: server ${(server / MIB).toFixed(0)} MiB, agent ${(device / MIB).toFixed(0)} MiB`);
  console.log(`ratio: ${slower.toFixed(2)} of the bare transfer, the slower way (wanted: 0.8)`);
} finally {
  await site.close();
}
