/** The real thing beside the reference: a server on a clock that the test moves, callers, and devices that obey. */
import type { ResultStream } from '@longarm/contract/result';
import type { Fact, UploadedResult } from '@longarm/contract/wire/to-server';
import type { ServerTime } from '@longarm/server/start';
import { type ApiCaller, apiCaller } from '@longarm/testkit/api-caller';
import type { Offered, ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer } from '@longarm/testkit/test-server';
import { until } from '@longarm/testkit/until';
import type { Finish, Kind } from './reference/action.ts';
import { COMMAND_MS, LIMITS, type Offer } from './reference/site.ts';

/** Who calls, and the roles that the permission table gives them. */
export const CALLERS = {
  analyst: ['Machine.LiveResponse', 'Machine.Read.All', 'Machine.ReadWrite.All', 'Library.Manage'],
  responder: ['Machine.LiveResponse', 'Machine.Read.All'],
  reader: ['Machine.Read.All'],
  librarian: ['Library.Manage'],
} as const;
export type CallerName = keyof typeof CALLERS;
export const CALLER_NAMES = Object.keys(CALLERS) as readonly CallerName[];

export const MACHINES = 3;
const BEGIN_MS = Date.UTC(2026, 1, 4, 12);
/** What the engine does twice a second: deadlines, and the dispatcher's round. */
const TICK_MS = 500;

const FLAGS = [
  `sessions=${LIMITS.sessions}`,
  `queue-hours=${LIMITS.queueMs / 3_600_000}`,
  `lease-seconds=${LIMITS.leaseMs / 1_000}`,
  `grace-minutes=${LIMITS.graceMs / 60_000}`,
  `script-seconds=${COMMAND_MS.RunScript / 1_000}`,
  `transfer-seconds=${COMMAND_MS.PutFile / 1_000}`,
  // the clock stands still for as long as it likes: nobody is silent, and nobody waits for a turn
  'heartbeat-seconds=1000000',
  'connects-per-second=100000',
  'enrols-per-second=100000',
].flatMap((limit) => ['--limit', limit]);

const manualTime = () => {
  let nowMs = BEGIN_MS;
  const chores = new Set<() => Promise<void>>();
  const time: ServerTime = {
    now: () => nowMs,
    every: (milliseconds, call) => {
      if (milliseconds === TICK_MS) chores.add(call);
      return () => chores.delete(call);
    },
  };
  const pass = async (milliseconds: number) => {
    nowMs += milliseconds;
    // the deadlines first, then who is served
    for (const chore of [...chores].reverse()) await chore();
  };
  return { time, pass };
};

export type System = {
  readonly callers: Readonly<Record<CallerName, ApiCaller>>;
  readonly device: (index: number) => ScriptedDevice;
  readonly machineId: (index: number) => string;
  readonly isOnline: (index: number) => Promise<boolean>;
  readonly now: () => number;
  readonly pass: (milliseconds: number) => Promise<void>;
  readonly connect: (index: number, journaled: readonly string[]) => Promise<void>;
  readonly disconnect: (index: number) => Promise<void>;
  /** Resolves when the device has the offer of this action; throws when none comes. */
  readonly awaitOffer: (index: number, actionId: string) => Promise<void>;
  /** An offer came that nobody waits for. */
  readonly hasOffer: (index: number) => boolean;
  /** Tells a fact of an action, and waits until the server has it. */
  readonly report: (index: number, actionId: string, fact: FactOf) => Promise<void>;
  /** Uploads what a command left, and reports its end. */
  readonly finish: (at: Offer, told: Told) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const dnsName = (index: number): string => `machine-${index}.lab.example`;

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
type FactOf = DistributiveOmit<Fact, 'actionId' | 'at'>;

/** A command's end, and how often its device says so. */
type Told = Finish & { readonly kind: Kind; readonly times: number };

/** What devices do with what they were offered. */
const deviceWork = (device: (index: number) => ScriptedDevice) => {
  const offers = new Map<string, Offered>();
  const offerOf = (actionId: string): Offered => {
    const offer = offers.get(actionId);
    if (offer === undefined) throw new Error(`no device was offered ${actionId}`);
    return offer;
  };
  const report = (index: number, actionId: string, fact: FactOf): Promise<void> =>
    device(index).report({ ...fact, actionId: offerOf(actionId).actionId });
  return {
    report,
    awaitOffer: async (index: number, actionId: string) => {
      const offer = await device(index).takeOffer();
      if (offer.actionId !== actionId)
        throw new Error(`expected an offer of ${actionId}, got one of ${offer.actionId}`);
      offers.set(actionId, offer);
    },
    hasOffer: (index: number) => device(index).has('offer'),
    finish: async ({ machine, actionId }: Offer, { kind, times, output, ...finish }: Told) => {
      const upload = (stream: ResultStream, text: string) =>
        device(machine).upload(offerOf(actionId), { index: finish.index, stream }, text);
      const results: UploadedResult[] = [];
      if (output !== null && kind === 'GetFile') results.push(await upload('file', output));
      if (output !== null && kind === 'RunScript')
        results.push(await upload('stdout', output), await upload('stderr', ''));
      const errors = finish.outcome === 'Failed' ? ['it broke'] : [];
      for (let time = 0; time < times; time++)
        await report(machine, actionId, { kind: 'command-finished', ...finish, errors, results });
    },
  };
};

export const openSystem = async (): Promise<System> => {
  const { time, pass } = manualTime();
  const server = await startTestServer(FLAGS, { time });
  // proofs of transfers are good from the moment after the server's start on
  await pass(1_000);
  const callers = new Map<string, ApiCaller>();
  for (const [name, roles] of Object.entries(CALLERS))
    callers.set(name, await apiCaller({ server: server.url, admin: server.admin, name, roles: [...roles] }));
  const devices: ScriptedDevice[] = [];
  for (let index = 0; index < MACHINES; index++) devices.push(await server.absentDevice(dnsName(index)));
  const device = (index: number): ScriptedDevice => {
    const found = devices[index];
    if (found === undefined) throw new Error(`there is no device ${index}`);
    return found;
  };
  const isOnline = async (index: number) =>
    (await server.api.call(`/api/machines/${device(index).machineId}`)).json.isOnline === true;
  return {
    // one for each name, from the same table
    callers: Object.fromEntries(callers) as System['callers'],
    device,
    machineId: (index) => device(index).machineId,
    isOnline,
    ...deviceWork(device),
    now: time.now,
    pass,
    connect: (index, journaled) => device(index).connect(journaled),
    disconnect: async (index) => {
      await device(index).disconnect();
      await until(
        () => isOnline(index),
        (online) => !online,
      );
    },
    stop: async () => {
      for (const one of devices) await one.disconnect();
      await server.stop();
    },
  };
};
