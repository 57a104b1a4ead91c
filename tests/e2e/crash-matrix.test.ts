/**
 * kill -9 of a real agent between every two steps of accept → start → finish → report → acknowledge. The steps are
 * counted in a run without a crash; then each is crashed at, some twice in a row. LONGARM_FULL=1 takes all of them, an
 * ordinary run a handful chosen by a seed (LONGARM_SEED repeats one).
 */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Json } from '@longarm/testkit/api-caller';
import { isAlive } from '@longarm/testkit/is-alive';
import { startProgram } from '@longarm/testkit/programs';
import {
  getFile,
  isFinal,
  openSite,
  putFile,
  runScript,
  type TestAgent,
  type TestSite,
} from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

const isFull = process.env.LONGARM_FULL === '1';
setDefaultTimeout(isFull ? 600_000 : 120_000);

/** Crash points of an ordinary run, and one in how many crashes twice. */
const SAMPLE = 40;
const TWICE = 4;
/** Steps of a life that only recovers, among which the second crash is. */
const RECOVERY_STEPS = 40;
/** As many agents at once as the machines that run this have cores. */
const WORKERS = 2;

const seed = Number(process.env.LONGARM_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Mulberry32: the same numbers for the same seed. */
const randomOf = (start: number) => {
  let state = start;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};
const random = randomOf(seed);

let site: TestSite;
beforeAll(async () => {
  site = await openSite();
  await site.api.upload('next.sh', 'echo next\n');
});
afterAll(() => site.close());

type Device = { readonly agent: TestAgent; readonly crashFolder: string };

const PRELOAD = join(import.meta.dir, 'fixtures/crash-at-step.ts');

const newFolder = async (): Promise<string> => {
  const folder = join(site.folder, crypto.randomUUID());
  await mkdir(folder, { mode: 0o700 });
  return folder;
};

const newDevice = async (): Promise<Device> => {
  const crashFolder = await newFolder();
  return { agent: await site.agent({ preload: PRELOAD, env: { CRASH_FOLDER: crashFolder } }), crashFolder };
};

const stepsOf = async ({ crashFolder }: Device): Promise<readonly string[]> =>
  (await readFile(join(crashFolder, 'steps'), 'utf8')).split('\n').slice(0, -1);

/** What the script of a point leaves behind; made anew for each point, so that it is fetched and counted by itself. */
type Scene = { readonly name: string; readonly folder: string; readonly commands: readonly object[] };

const makeScene = async (): Promise<Scene> => {
  const folder = await newFolder();
  const name = basename(folder);
  const script = [
    `echo run >> ${folder}/runs`,
    `sleep 300 > /dev/null 2>&1 & echo $! > ${folder}/child`,
    'echo out; echo err >&2',
    `cat ${name}.txt ${name}.txt > ${name}.out`,
    '',
  ].join('\n');
  await site.api.upload(`${name}.txt`, `payload of ${name}\n`);
  await site.api.upload(`${name}.sh`, script);
  return { name, folder, commands: [putFile(`${name}.txt`), runScript(`${name}.sh`), getFile(`${name}.out`)] };
};

const runsOf = async ({ folder }: Scene): Promise<number> =>
  (await readFile(join(folder, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1;

/** How often the action became final, by the audit. */
const endings = (id: string): number => {
  const store = new Database(join(site.folder, 'data', 'store.db'), { readonly: true });
  try {
    const events = "('action.Succeeded', 'action.Failed', 'action.TimeOut', 'action.Cancelled')";
    const counted = store.query<{ count: number }, [string]>(
      `select count(*) as count from audit where subject = ? and event in ${events}`,
    );
    return counted.get(id)?.count ?? 0;
  } finally {
    store.close();
  }
};

const expectComplete = async (action: Json, scene: Scene): Promise<void> => {
  expect(action.commands.map((command: Json) => command.commandStatus)).toEqual([
    'Completed',
    'Completed',
    'Completed',
  ]);
  expect(await runsOf(scene)).toBe(1);
  expect(await (await site.api.download(action.id, 1)).json()).toMatchObject({
    exit_code: 0,
    script_output: 'out\n',
    script_errors: 'err\n',
  });
  const file = await site.api.download(action.id, 2, '&raw=1');
  expect(await file.text()).toBe(`payload of ${scene.name}\n`.repeat(2));
};

const expectInterrupted = async (action: Json, scene: Scene): Promise<void> => {
  expect(action.status).toBe('Failed');
  const statuses: string[] = action.commands.map((command: Json) => command.commandStatus);
  const place = statuses.indexOf('Failed');
  expect(statuses.slice(0, place).every((status) => status === 'Completed')).toBe(true);
  expect(statuses.slice(place + 1).every((status) => status === 'Created')).toBe(true);
  expect(action.commands[place].errors.join(' ')).toMatch(/interrupted: the agent restarted/);
  expect(await runsOf(scene)).toBeLessThanOrEqual(1);
};

const expectNothingLeft = async ({ folder }: Scene): Promise<void> => {
  const child = Number(await readFile(join(folder, 'child'), 'utf8').catch(() => '0'));
  if (child > 0) expect(isAlive(child)).toBe(false);
};

const expectNextSucceeds = async (machineId: string): Promise<void> => {
  const { json: next } = await site.run(machineId, [runScript('next.sh')]);
  expect((await site.until(next.id, isFinal)).status).toBe('Succeeded');
};

/** How long after the action's end its last acknowledgements may take; only then a late crash point is not reached. */
const LAST_STEPS_MS = 250;

/** One life: until it crashed at its point, or was ended here because nothing was left to do. True when it crashed. */
const live = async ({ agent, crashFolder }: Device, id: string, crashAt: number | null): Promise<boolean> => {
  if (crashAt !== null) await writeFile(join(crashFolder, 'crash-at'), String(crashAt));
  let hasEnded = false;
  // a life that ends before it is connected is one too
  await agent.start().catch(() => {});
  const ended = agent.program().ended.then(() => {
    hasEnded = true;
  });
  await until(
    async () => hasEnded || isFinal(await site.action(id)),
    (is) => is,
  );
  if (crashAt === null) return false;
  await Promise.race([ended, Bun.sleep(LAST_STEPS_MS)]);
  const hasCrashed = hasEnded;
  await agent.kill();
  return hasCrashed;
};

type Point = { readonly first: number; readonly second: number | null };

/** Where it crashed, for whoever reads a failure. */
const crashAndCheck = async (device: Device, { first, second }: Point): Promise<string | null> => {
  const scene = await makeScene();
  const { json } = await site.run(device.agent.machineId, scene.commands);
  const hasCrashed = await live(device, json.id, first);
  const where = (await stepsOf(device)).at(first - 1) ?? null;
  try {
    if (second !== null) await live(device, json.id, second);
    await live(device, json.id, null);
    const action = await site.until(json.id, isFinal);
    if (action.status === 'Succeeded') await expectComplete(action, scene);
    else await expectInterrupted(action, scene);
    await expectNothingLeft(scene);
    await expectNextSucceeds(device.agent.machineId);
    expect(endings(json.id)).toBe(1);
    expect(await site.action(json.id)).toEqual(action);
  } catch (cause) {
    const said = device.agent.program().output();
    throw new Error(`crash at step ${first} (${where}), then ${second}; the agent said:\n${said}`, { cause });
  } finally {
    await device.agent.kill();
  }
  return hasCrashed ? where : null;
};

/** Numbers of the steps around the start of the script: few among many, and those after which something runs. */
const aroundTheStart = (steps: readonly string[]): readonly number[] => {
  const start = steps.indexOf('before the start of a process') + 1;
  return Array.from({ length: 6 }, (_, offset) => start + offset);
};

const pointsOf = (steps: readonly string[]): readonly Point[] => {
  const chosen = new Set(isFull ? steps.keys().map((index) => index + 1) : aroundTheStart(steps));
  while (!isFull && chosen.size < SAMPLE) chosen.add(1 + random(steps.length));
  return [...chosen].map((first) => ({ first, second: random(TWICE) === 0 ? 1 + random(RECOVERY_STEPS) : null }));
};

test('a crash at any step of an action: one end, one run, nothing left, and the device goes on', async () => {
  const devices: Device[] = [];
  while (devices.length < WORKERS) devices.push(await newDevice());
  for (const { agent } of devices) await agent.kill();
  const [counter = await newDevice()] = devices;
  const scene = await makeScene();
  const { json } = await site.run(counter.agent.machineId, scene.commands);
  await counter.agent.start();
  await expectComplete(await site.until(json.id, isFinal), scene);
  const steps = await stepsOf(counter);
  await counter.agent.kill();
  const points = [...pointsOf(steps)];
  const chosen = points.length;
  console.log(`crash matrix: ${chosen} of ${steps.length} steps, LONGARM_SEED=${seed}`);
  const crashed: string[] = [];
  const work = async (device: Device): Promise<void> => {
    for (let point = points.shift(); point !== undefined; point = points.shift()) {
      const where = await crashAndCheck(device, point);
      if (where !== null) crashed.push(where);
    }
  };
  await Promise.all(devices.map(work));
  // acknowledgements may come in fewer turns than in the run that was counted: its last steps are not always there
  expect(crashed.length).toBeGreaterThan(chosen * 0.8);
});

test('a crash at any step of the first start: one machine, and it works', async () => {
  const settled = await newDevice();
  const steps = (await stepsOf(settled)).length;
  await settled.agent.kill();
  const machines = async () => (await site.api.call('/api/machines')).json.value.length;
  const before = await machines();
  const sample = isFull ? Array.from({ length: steps }, (_, index) => index + 1) : [4, 5, 6, 7, 1 + random(steps)];
  for (const [place, crashAt] of sample.entries()) {
    const state = await newFolder();
    const args = ['--server', site.url, '--token-file', join(site.folder, 'token.txt'), '--state', state];
    await writeFile(join(state, 'crash-at'), String(crashAt));
    const start = () => startProgram('longarm-agent', args, { preload: PRELOAD, env: { CRASH_FOLDER: state } });
    expect(await start().ended).toBe('SIGKILL');
    const agent = start();
    try {
      const [, machineId = ''] = await agent.line(/connected as ([0-9a-f]{40})/);
      await expectNextSucceeds(machineId);
      expect(await machines()).toBe(before + place + 1);
    } finally {
      await agent.end('SIGKILL');
    }
  }
});
