/** Requests that nobody may be answered with an action for: each has to be refused, whatever else is wrong in the world. */
import { COMMANDS_PER_ACTION } from '@longarm/contract/limits';
import { RunLiveResponseRequest } from '@longarm/contract/rest/run-live-response';
import type { Caller } from '@longarm/server/audit/ports';
import { callerOf, strangerOf } from './people.ts';
import type { Random } from './random.ts';

export type HostileAsk = {
  readonly caller: Caller;
  readonly machine: string;
  /** Null where the contract refuses it already. */
  readonly body: RunLiveResponseRequest | null;
};

const script = (name: string) => ({ type: 'RunScript', params: [{ key: 'ScriptName', value: name }] });
const GOOD = { Commands: [script('quick.sh')], Comment: 'hostile' };

const MACHINES = [
  '',
  '0'.repeat(40),
  'f'.repeat(40),
  'f'.repeat(100_000),
  "' or 1=1 --",
  '../../machines',
  'device-%.lab.example',
  '\u0000',
] as const;

const BODIES: readonly [unknown, ...unknown[]] = [
  null,
  [],
  'Commands',
  {},
  { Commands: [] },
  { Commands: {} },
  { Commands: [null] },
  { Commands: [{ type: 'RunScript' }] },
  { Commands: [{ type: 'Format', params: [] }] },
  { Commands: [{ type: '__proto__', params: [] }] },
  { Commands: [{ type: 'constructor', params: [] }] },
  { Commands: [{ type: 'GetFile', params: [] }] },
  { Commands: [{ type: 'RunScript', params: [{ key: '__proto__', value: 'quick.sh' }] }] },
  { Commands: [script('')] },
  { Commands: [script('../../etc/passwd')] },
  { Commands: [script("quick.sh'; drop table actions; --")] },
  { Commands: [script('quick.sh\u0000')] },
  { Commands: [script('x'.repeat(1_000_000))] },
  { Commands: [script('quick.sh'), script('missing.sh')] },
  { Commands: Array.from({ length: COMMANDS_PER_ACTION + 1 }, () => script('quick.sh')) },
  { ...GOOD, Comment: 'x'.repeat(1_000_000) },
];

export const hostileAsk = (random: Random, machineId: string): HostileAsk => {
  const parsed = (body: unknown) => RunLiveResponseRequest.safeParse(body).data ?? null;
  const caller = callerOf('hostile');
  switch (random.int(0, 2)) {
    case 0:
      return { caller, machine: random.pick(MACHINES), body: GOOD_PARSED };
    case 1:
      return { caller, machine: machineId, body: parsed(random.pick(BODIES)) };
    default:
      return { caller: strangerOf('stranger'), machine: machineId, body: GOOD_PARSED };
  }
};

const GOOD_PARSED = RunLiveResponseRequest.parse(GOOD);
