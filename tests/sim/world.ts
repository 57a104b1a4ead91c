/** One world out of one seed: a server, devices, callers, a time of trouble, a time of rest, and what must hold. */
import type { Database } from 'bun:sqlite';
import { type BlobMedium, blobMedium } from './blobs.ts';
import { callers } from './callers.ts';
import { checkEnd, type EndIo, unrest } from './check-end.ts';
import { simulatedDatabase } from './database.ts';
import { simulatedDevice } from './device.ts';
import type { BrokenDevice } from './device-program.ts';
import { type Fault, type Faults, faultsOf } from './faults.ts';
import { BEGINNING_MS, DATABASE_IMAGE, DEVICE_KEYS, LIBRARY, libraryBytes } from './founding.ts';
import { hearsay } from './hearsay.ts';
import { beginHostile } from './hostile-device.ts';
import { type Violation, type Watch, watchInvariants } from './invariants.ts';
import { deviceNetwork } from './network.ts';
import { seededRandom } from './random.ts';
import { simulatedServer } from './server.ts';
import type { BrokenServer } from './server-program.ts';
import { newTrace, type Trace } from './trace.ts';
import { beginTrouble, type TroubleIo, troubleAtWork } from './trouble.ts';
import { type VirtualTime, virtualTime } from './virtual-time.ts';
import { type WorldLimits, worldLimits } from './world-limits.ts';

/** What a test breaks on purpose, to see that it is found. */
export type Broken = {
  readonly server?: BrokenServer;
  readonly device?: BrokenDevice;
  /** Of the connection that writes, each time that it has been opened. */
  readonly database?: (writer: Database) => void;
};

export type Outcome = {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly hash: string;
  readonly faults: ReadonlyMap<Fault, number>;
  /** Actions by the status that they ended in. */
  readonly endings: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly events: number;
};

type World = EndIo & {
  readonly time: VirtualTime;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly limits: WorldLimits;
  readonly serverNow: () => number;
  readonly upSince: () => number | null;
  readonly start: () => void;
  readonly close: () => void;
};

const libraryOf = (blobs: BlobMedium) => {
  for (const text of Object.values(LIBRARY)) blobs.put(libraryBytes(text));
};

const build = (seed: number, broken: Broken, print: ((line: string) => void) | null): World => {
  const random = seededRandom(seed);
  const time = virtualTime();
  const trace = newTrace(time.now, print);
  const limits = worldLimits(random.fork());
  const faults = faultsOf(random.fork());
  const blobs = blobMedium({ faults, random: random.fork(), onSlowUpload: () => atWork.onUpload() });
  libraryOf(blobs);
  let clockOffsetMs = 0;
  const serverNow = () => BEGINNING_MS + Math.floor(time.now()) + clockOffsetMs;
  const devices: ReturnType<typeof simulatedDevice>[] = [];
  const watch: Watch = watchInvariants({
    raw: () => database.raw(),
    blobs,
    limits,
    now: serverNow,
    devices: () => devices,
  });
  const database = simulatedDatabase({
    image: DATABASE_IMAGE,
    faults,
    random: random.fork(),
    onOpened: (writer) => broken.database?.(writer),
    onDurable: watch.onDurable,
  });
  const common = { time, faults, trace, limits };
  const server = simulatedServer({
    ...common,
    random: random.fork(),
    database,
    blobs,
    sinceBeginning: time.now,
    now: serverNow,
    activity: watch.changes,
    isIdle: watch.isIdle,
    broken: broken.server ?? {},
  });
  const trouble: TroubleIo = {
    ...common,
    random: random.fork(),
    devices,
    server,
    jumpServerClock: (byMs) => {
      trace.tell('server', `its clock jumps by ${byMs} ms`);
      clockOffsetMs += byMs;
    },
  };
  const atWork = troubleAtWork({ ...trouble, random: random.fork() });
  for (const [index, key] of DEVICE_KEYS.slice(0, limits.devices).entries())
    devices.push(
      simulatedDevice({
        ...common,
        random: random.fork(),
        index,
        key,
        server: server.program,
        meanConnectionMs: limits.meanConnectionMs,
        onBegun: (device, actionId, command) => {
          watch.onBegun(device, actionId, command);
          atWork.onCommand(device);
        },
        hearsay: hearsay(watch, key.machineId),
        broken: broken.device ?? {},
      }),
    );
  const hostile = random.fork();
  const hostileNetwork = deviceNetwork({
    ...common,
    random: hostile.fork(),
    server: server.program,
    meanConnectionMs: limits.meanConnectionMs,
    hearsay: { toDevice: () => {}, toServer: () => {}, replayed: () => {} },
  });
  const people = callers({ ...common, random: random.fork(), server, watch });
  const start = () => {
    server.start();
    for (const device of devices) time.after(trouble.random.int(0, 5_000), device.start);
    people.begin();
    beginTrouble(trouble);
    beginHostile({ ...common, random: hostile, network: hostileNetwork, now: serverNow, watch });
  };
  return {
    ...common,
    watch,
    callers: people,
    devices,
    blobs,
    serverNow,
    upSince: server.upSince,
    start,
    close: () => {
      for (const device of devices) device.letGo();
      database.close();
    },
  };
};

/** 3: what is past its deadline does not stay open while the server is there to end it. */
const checkDeadlines = ({ watch, time, limits, serverNow, upSince }: World) => {
  // a tick may fail, and the one after it
  const patienceMs = 3 * limits.longestTickMs + 120_000;
  const since = upSince();
  if (since === null || time.now() - since < patienceMs) return;
  const late = serverNow() - patienceMs;
  for (const { id, status, queue_deadline, run_deadline } of watch.actions().values()) {
    if (status === 'Pending' && queue_deadline < late) watch.violate(3, `${id} is Pending past its queue deadline`);
    if (status === 'InProgress' && (run_deadline ?? 0) < late)
      watch.violate(3, `${id} is InProgress past its run deadline`);
  }
};

const advance = (world: World, byMs: number) => {
  world.time.runUntil(world.time.now() + byMs);
  checkDeadlines(world);
};

/** As long as anything may rightly take that has begun when faults stop. */
const longestRestMs = ({ limits }: World): number => {
  const { server, longestAbsenceMs, longestTickMs } = limits;
  const runSeconds = 3 * Math.max(server['script-seconds'], server['transfer-seconds']) + server['grace-minutes'] * 60;
  return server['queue-hours'] * 3_600_000 + runSeconds * 1_000 + longestAbsenceMs + 4 * longestTickMs + 1_800_000;
};

const play = (world: World) => {
  const { watch, time, limits, faults, devices, trace } = world;
  const step = Math.max(10_000, limits.longestTickMs / 2);
  while (time.now() < limits.troubleMs && watch.violation() === null) advance(world, step);
  trace.tell('world', 'faults stop');
  faults.stop();
  for (const device of devices) {
    device.setCutOff(false);
    device.setDiskFull(false);
  }
  const until = time.now() + longestRestMs(world);
  do advance(world, step);
  while (watch.violation() === null && unrest(world) !== null && time.now() < until);
  if (watch.violation() === null) checkEnd(world);
};

const endingsOf = (watch: Watch): ReadonlyMap<string, number> => {
  const endings = new Map<string, number>();
  for (const { status } of watch.actions().values()) endings.set(status, (endings.get(status) ?? 0) + 1);
  return endings;
};

/** Runs the world of this seed to its end. `print` gets the trace, line by line. */
export const runWorld = (
  seed: number,
  options: { readonly broken?: Broken; readonly print?: (line: string) => void } = {},
): Outcome => {
  const world = build(seed, options.broken ?? {}, options.print ?? null);
  const { watch, faults, trace, time } = world;
  world.start();
  try {
    play(world);
  } finally {
    world.close();
  }
  const violation = watch.violation();
  if (violation !== null) trace.tell('world', `VIOLATION of invariant ${violation.invariant}: ${violation.sentence}`);
  return {
    seed,
    violation,
    hash: trace.hash(),
    faults: faults.counts(),
    endings: endingsOf(watch),
    virtualMs: time.now(),
    events: time.fired(),
  };
};
