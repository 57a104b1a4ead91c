/** Callers of the API: they ask, ask again with the same key when no answer comes, and change their minds. */
import { Refusal } from '@longarm/contract/errors';
import type { ActionId } from '@longarm/contract/ids';
import type { RunLiveResponseRequest } from '@longarm/contract/rest/run-live-response';
import type { ActionRecord } from '@longarm/server/actions/action-record';
import type { Faults } from './faults.ts';
import { DEVICE_KEYS, HOSTILE_INDEX, SCRIPTS } from './founding.ts';
import { hostileCallers } from './hostile-callers.ts';
import type { Watch } from './invariants.ts';
import { callerOf } from './people.ts';
import { guidOf, type Random } from './random.ts';
import { secondPerson } from './second-person.ts';
import type { SimulatedServer } from './server.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { WorldLimits } from './world-limits.ts';

export type Callers = {
  /** Spreads its requests over the time. */
  readonly begin: () => void;
  /** Actions whose answer reached a caller. */
  readonly answered: ReadonlySet<ActionId>;
  /** Actions that each key was answered with: never more than one. */
  readonly byKey: ReadonlyMap<string, ReadonlySet<ActionId>>;
};

export type CallersIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly server: SimulatedServer;
  readonly limits: WorldLimits;
  readonly watch: Pick<Watch, 'onAnswered' | 'onRead' | 'violate'>;
};

export type Ask = {
  readonly machine: string;
  readonly body: RunLiveResponseRequest;
  readonly key: string;
  readonly caller: string;
};

/** A caller who hears nothing for this long asks again. */
const PATIENCE_MS = 30_000;
const ATTEMPTS = 4;

const commandOf = (random: Random): RunLiveResponseRequest['Commands'][number] => {
  const kind = random.int(0, 9);
  const param = (key: string, value: string) => ({ key, value });
  if (kind < 2) return { type: 'PutFile', params: [param('FileName', 'tool.bin')] };
  if (kind < 4)
    return { type: 'GetFile', params: [param('Path', random.chance(0.8) ? '/var/log/syslog' : '/missing')] };
  return { type: 'RunScript', params: [param('ScriptName', random.pick(SCRIPTS))] };
};

const askOf = ({ limits, faults }: CallersIo, random: Random): Ask => {
  const isHostile = faults.isOn('hostile-device') && random.chance(0.15);
  const device = DEVICE_KEYS[isHostile ? HOSTILE_INDEX : random.int(0, limits.devices - 1)];
  return {
    machine: device?.machineId ?? '',
    body: { Commands: Array.from({ length: random.int(1, 3) }, () => commandOf(random)), Comment: 'simulated' },
    key: guidOf(random),
    caller: `caller-${random.int(1, limits.callers)}`,
  };
};

export const callers = (io: CallersIo): Callers => {
  const { time, random, faults, trace, server, limits } = io;
  const answered = new Set<ActionId>();
  const byKey = new Map<string, Set<ActionId>>();

  const onWaiting = secondPerson({ ...io, random: random.fork() });
  const hostile = random.fork();
  const longestDelays = [200, 5_000, limits.server['script-seconds'] * 1_500] as const;

  const attacks = hostileCallers({ ...io, random: hostile });
  /** What somebody reads is on the disk. */
  const look = (actionId: ActionId, caller: string) => {
    const program = server.program();
    program?.find(callerOf(caller), actionId).then(
      ({ status }) => {
        if (!program.life.isOver()) io.watch.onRead(actionId, status);
      },
      (fault) => trace.tell(caller, `reads nothing of ${actionId.slice(0, 8)}: ${fault}`),
    );
  };
  const cancel = (actionId: ActionId, caller: string) => {
    const program = server.program();
    if (program === null || !faults.strikes('cancel', 1)) return;
    trace.tell(caller, `cancels ${actionId.slice(0, 8)}`);
    for (let looks = hostile.int(1, 3); looks > 0; looks--)
      time.after(hostile.int(0, 3_000), () => look(actionId, caller));
    program
      .cancel(callerOf(caller), { actionId, comment: 'simulated' })
      .catch((fault) => trace.tell(caller, `${fault}`));
  };
  const onAnswer = (ask: Ask, { id: actionId, approval }: ActionRecord) => {
    answered.add(actionId);
    io.watch.onAnswered(actionId);
    const known = byKey.get(ask.key) ?? new Set();
    byKey.set(ask.key, known.add(actionId));
    trace.tell(ask.caller, `was answered ${actionId.slice(0, 8)}`);
    if (approval?.state === 'Required')
      onWaiting({ actionId, requester: ask.caller, longestMs: hostile.pick([...longestDelays]) });
    attacks.onAnswer(ask, actionId);
    if (!faults.isOn('cancel') || !random.chance(0.4)) return;
    const longest = random.pick([...longestDelays]);
    time.after(random.int(0, longest), () => cancel(actionId, ask.caller));
    if (random.chance(0.2)) time.after(random.int(0, longest), () => cancel(actionId, ask.caller));
  };
  const attempt = (ask: Ask, attempts: number) => {
    const again = (delayMs: number) => {
      if (attempts < ATTEMPTS) time.after(delayMs, () => attempt(ask, attempts + 1));
    };
    const program = server.program();
    if (program === null) return again(random.int(1_000, PATIENCE_MS));
    let isOver = false;
    const giveUp = time.after(faults.strikes('caller-impatient', 0.1) ? random.int(1, 50) : PATIENCE_MS, () => {
      isOver = true;
      again(0);
    });
    const settle = (then: () => void) => {
      if (isOver || program.life.isOver()) return;
      isOver = true;
      giveUp();
      then();
    };
    const idempotency = { key: ask.key, bodySha256: Bun.hash(JSON.stringify(ask.body)).toString(16) };
    program.request(callerOf(ask.caller), { machine: ask.machine, body: ask.body, idempotency }).then(
      (action) => settle(() => onAnswer(ask, action)),
      (fault) =>
        settle(() => {
          trace.tell(ask.caller, `was refused: ${fault instanceof Refusal ? fault.code : fault}`);
          again(random.int(500, PATIENCE_MS));
        }),
    );
  };
  return {
    answered,
    byKey,
    begin: () => {
      for (let count = 0; count < limits.requests; count++) {
        const ask = askOf(io, random);
        time.after(random.int(0, Math.floor(limits.troubleMs * 0.9)), () => attempt(ask, 1));
        time.after(hostile.int(0, limits.troubleMs), () => attacks.ask(ask.machine));
      }
    },
  };
};
