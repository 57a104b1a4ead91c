/**
 * Accepted requests against what the store can take, in one run:
 *
 *   bun --no-install bench/post.ts [seconds] | --quick
 *
 * 64 clients post runliveresponse to a server that is a process of its own; 64 writers hand the same action to the
 * store's own port in this one. Rounds of both alternate. Prints both rates and their ratio.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCommand } from '@longarm/contract/commands/index';
import { ActionId, ApplicationId, MachineId, Sha256 } from '@longarm/contract/ids';
import type { DeviceFacts } from '@longarm/contract/wire/facts';
import { type DataFolder, openDataFolder } from '@longarm/server/data-folder';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { openSite } from '@longarm/testkit/test-site';

const CLIENTS = 64;
const isQuick = process.argv.includes('--quick');
const ROUNDS = isQuick ? 1 : 3;
const seconds = isQuick ? 0.2 : Number(process.argv[2] ?? 4);

/** Calls of `once` that end within the time, per second, by 64 that call one after another. */
const rateOf = async (once: (client: number) => Promise<void>): Promise<number> => {
  let done = 0;
  const until = performance.now() + seconds * 1_000;
  const client = async (_: unknown, index: number) => {
    while (performance.now() < until) {
      await once(index);
      if (performance.now() <= until) done++;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return done / seconds;
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const COMMAND = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };

/** The same action by the store's port alone, for machines of its own that are away, too. */
const directWriter = async ({ store, tenant }: DataFolder) => {
  const token = { id: 'bench', tenantId: tenant, secretSha256: 'a'.repeat(64), tags: [], group: null, uses: 0 };
  await store.access.addEnrolToken(
    { ...token, maxUses: null, expiresAt: null, revoked: false, approval: false, createdAt: 0 },
    'bench',
  );
  const machineOf = (index: number) => MachineId.parse(index.toString(16).padStart(40, '0'));
  for (let index = 0; index < CLIENTS; index++) {
    await store.machines.enrol({
      tokenId: token.id,
      tokenSecretSha256: token.secretSha256,
      machineId: machineOf(index),
      publicKey: 'x',
      hardwareId: Sha256.parse(index.toString(16).padStart(64, '0')),
      facts: FACTS,
      externalIp: null,
      now: Date.now(),
    });
  }
  const command = parseCommand(COMMAND, 0);
  return async (index: number) => {
    const { kind } = await store.actions.request({
      id: ActionId.parse(crypto.randomUUID()),
      tenantId: tenant,
      deviceGroups: 'all',
      machineId: machineOf(index),
      requestor: 'bench',
      origin: { address: '127.0.0.1', requestId: crypto.randomUUID() },
      requester: { principal: 'bench', applicationId: ApplicationId.parse(crypto.randomUUID()), name: 'bench' },
      caller: 'bench',
      comment: 'e2e',
      commands: [{ sent: COMMAND, command, timeLimitSeconds: 1_800 }],
      idempotency: null,
      now: Date.now(),
      queueMs: 3_600_000,
      runMs: 3_600_000,
      maxUnfinishedPerMachine: 1_000_000_000,
      claimFor: null,
      maxSessions: 25,
    });
    if (kind !== 'accepted') throw new Error(kind);
  };
};

const FACTS: DeviceFacts = {
  computerDnsName: 'bench',
  osPlatform: 'Linux',
  osVersion: null,
  osProcessor: 'x64',
  version: '12',
  osBuild: null,
  osArchitecture: '64-bit',
  agentVersion: '0.0.0',
  aadDeviceId: null,
  ipAddresses: [],
};

const folder = await mkdtemp(join(tmpdir(), 'longarm-bench-'));
const site = await openSite(['--limit', 'queued-per-machine=1000000000']);
try {
  const terms = { maxGetBytes: 1, maxOutputBytes: 1, stopOnNonzeroExit: false };
  const store = await openDataFolder({ path: folder, now: () => Date.now(), terms, names: ['localhost'] });
  const { token } = await site.admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
  const enrol = (index: number) => ScriptedDevice.enrol({ server: site.url, enrolToken: token, name: `host${index}` });
  const devices = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => enrol(index)));
  const machines = devices.map((device) => device.machineId);
  const http = async (index: number) => {
    const answer = await site.run(machines[index] ?? '', [COMMAND]);
    if (answer.status !== 200) throw new Error(answer.text);
  };
  const direct = await directWriter(store);
  const rates: { http: number; store: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push({ http: await rateOf(http), store: await rateOf(direct) });
    console.error(`round ${round + 1}: ${JSON.stringify(rates.at(-1))}`);
  }
  const posts = median(rates.map((rate) => rate.http));
  const units = median(rates.map((rate) => rate.store));
  console.log(`POST runliveresponse, ${CLIENTS} clients: ${posts.toFixed(0)}/s`);
  console.log(`the store's own unit, ${CLIENTS} writers: ${units.toFixed(0)}/s`);
  console.log(`ratio: ${((100 * posts) / units).toFixed(0)} % (wanted: 70 %)`);
  await store.close();
} finally {
  await site.close();
  await rm(folder, { recursive: true, force: true });
}
