/** Requests of live response, good ones and bad ones. */
import fc from 'fast-check';
import { agree, agreeOnAction, outcomeOf } from '../agree.ts';
import { isOpen, type Kind, type ReferenceCommand } from '../reference/action.ts';
import { LIMITS, type ReferenceSite } from '../reference/site.ts';
import { CALLER_NAMES, type CallerName, dnsName, MACHINES } from '../system.ts';
import { NAMES } from './library-steps.ts';
import { answerTo, isServed, pick, type Step, step } from './step.ts';

const ROLES = ['Machine.LiveResponse'] as const;

type Asked = { readonly kind: Kind; readonly value: string };

const FILE_OF = { PutFile: 'FileName', RunScript: 'ScriptName', GetFile: 'Path' } as const;

const sent = ({ kind, value }: Asked) => ({ type: kind, params: [{ key: FILE_OF[kind], value }] });
const fresh = ({ kind }: Asked): ReferenceCommand => ({
  kind,
  status: 'Created',
  exitCode: null,
  output: null,
  told: null,
});

const command: fc.Arbitrary<Asked> = fc.oneof(
  fc.constantFrom(...NAMES).map((value) => ({ kind: 'RunScript' as const, value })),
  fc.constantFrom(...NAMES).map((value) => ({ kind: 'PutFile' as const, value })),
  fc.constant({ kind: 'GetFile' as const, value: '/var/log/syslog' }),
);

type Request = {
  readonly by: CallerName;
  readonly machine: number;
  readonly isByName: boolean;
  readonly commands: readonly Asked[];
  readonly key: string | null;
};

/** What the request is answered with, in the order in which it is judged; or the action that its key gave before. */
const judge = (site: ReferenceSite, { machine, commands }: Request): string => {
  if (commands.some(({ kind, value }) => kind !== 'GetFile' && !site.library.has(value))) return '400 InvalidInput';
  if (site.of(machine).some(isOpen)) return '400 ActiveRequestAlreadyExists';
  if (site.machine(machine).online && site.sessions() >= LIMITS.sessions) return '429 TooManyRequests';
  return '200';
};

const keyText = ({ by, key }: Request): string | null => (key === null ? null : `${by} ${key}`);

const run = (asked: Request): Step => {
  const { by, machine, commands, key } = asked;
  const wanted = commands.map(({ kind, value }) => `${kind} ${value}`).join(', ');
  return step({
    text: `${by} asks machine ${machine} for ${wanted}${key === null ? '' : ` with key ${key}`}`,
    run: async (site, { callers, machineId }) => {
      const place = asked.isByName ? dnsName(machine) : machineId(machine);
      const body = JSON.stringify({ Commands: commands.map(sent), Comment: wanted });
      const used = site.keys.get(keyText(asked) ?? '');
      const outcome = used === undefined ? judge(site, asked) : used.body === place + body ? '200' : '400 BadRequest';
      const headers = key === null ? {} : { 'Idempotency-Key': key };
      const answer = await callers[by].post(`/api/machines/${place}/runliveresponse`, body, headers);
      if (!isServed('request', outcomeOf(answer), answerTo(by, ROLES, outcome))) return;
      const { id, status } = answer.json;
      if (used !== undefined) return agree('the action of the same key', id, used.actionId);
      agree('status of a new action', status, 'Pending');
      if (key !== null) site.keys.set(keyText(asked) ?? '', { body: place + body, actionId: id });
      site.request({ id, machine, requestor: by, comment: wanted }, commands.map(fresh));
    },
  });
};

const SCRIPT = { type: 'RunScript', params: [{ key: 'ScriptName', value: 'a.sh' }] };
const withCommand = (one: unknown): string => JSON.stringify({ Commands: [one], Comment: 'bad' });
const scriptWith = (params: readonly object[]): string => withCommand({ type: 'RunScript', params });

/** Bodies that are refused whatever else is the case, and how. */
const BAD_BODIES: readonly (readonly [string, string])[] = [
  ['', 'InvalidRequestBody'],
  ['{', 'InvalidRequestBody'],
  ['[]', 'InvalidInput'],
  ['{}', 'MissingRequiredParameter'],
  ['{"Commands":[]}', 'InvalidInput'],
  ['{"Commands":"all"}', 'InvalidInput'],
  [withCommand({ params: [] }), 'MissingRequiredParameter'],
  [withCommand({ type: 'Reboot', params: [] }), 'InvalidInput'],
  [withCommand({ ...SCRIPT, params: 7 }), 'InvalidInput'],
  [scriptWith([]), 'MissingRequiredParameter'],
  [scriptWith([{ key: 'ScriptName', value: '' }]), 'InvalidInput'],
  [scriptWith([{ key: 'ScriptName', value: '../a.sh' }]), 'InvalidInput'],
  [scriptWith([...SCRIPT.params, ...SCRIPT.params]), 'InvalidInput'],
  [scriptWith([...SCRIPT.params, { key: 'Path', value: '/' }]), 'InvalidInput'],
  [scriptWith([...SCRIPT.params, { key: 'Args', value: '"open' }]), 'InvalidInput'],
  [JSON.stringify({ Commands: Array.from({ length: 101 }, () => SCRIPT) }), 'MaximumBatchSizeExceeded'],
];

const runBadBody = (by: CallerName, machine: number, [body, code]: readonly [string, string]): Step =>
  step({
    text: `${by} asks machine ${machine} with the body ${JSON.stringify(body.slice(0, 80))}`,
    run: async (_, { callers, machineId }) => {
      const answer = await callers[by].post(`/api/machines/${machineId(machine)}/runliveresponse`, body);
      agree('request with a bad body', outcomeOf(answer), answerTo(by, ROLES, `400 ${code}`));
    },
  });

const runNowhere = (by: CallerName): Step =>
  step({
    text: `${by} asks a machine that nobody knows`,
    run: async (_, { callers }) => {
      const body = { Commands: [SCRIPT], Comment: 'nowhere' };
      const answer = await callers[by].post(`/api/machines/${'0'.repeat(40)}/runliveresponse`, body);
      agree('request for no machine', outcomeOf(answer), answerTo(by, ROLES, '404 ResourceNotFound'));
    },
  });

const cancel = (by: CallerName, number: number): Step =>
  step({
    text: `${by} cancels action ${number}`,
    run: async (site, system) => {
      // rather one that has not ended
      const open = site.actions.filter(isOpen);
      const action =
        number % 3 > 0 && open.length > 0 ? pick(open, number) : site.actions[number % (site.actions.length + 1)];
      const isDone = action !== undefined && ['Succeeded', 'TimeOut'].includes(action.status);
      const outcome = action === undefined ? '404 ResourceNotFound' : isDone ? '400 BadRequest' : '200';
      const id = action?.id ?? crypto.randomUUID();
      const answer = await system.callers[by].post(`/api/machineactions/${id}/cancel`, { Comment: 'no more' });
      if (!isServed('cancel', outcomeOf(answer), answerTo(by, ROLES, outcome)) || action === undefined) return;
      site.cancel(action);
      agreeOnAction(site, system, answer.json);
    },
  });

const caller = fc.constantFrom<CallerName>('analyst', 'responder', 'analyst', 'responder', ...CALLER_NAMES);
const machine = fc.nat({ max: MACHINES - 1 });

const request = fc
  .record({
    by: caller,
    machine,
    isByName: fc.boolean(),
    commands: fc.array(command, { minLength: 1, maxLength: 3 }),
    key: fc.option(fc.constantFrom('k1', 'k2'), { freq: 6, nil: null }),
  })
  .map(run);

const cancelling = fc.tuple(caller, fc.nat({ max: 40 })).map(([by, number]) => cancel(by, number));

export const requestSteps: readonly fc.Arbitrary<Step>[] = [
  ...Array.from({ length: 7 }, () => request),
  fc.tuple(caller, machine, fc.constantFrom(...BAD_BODIES)).map(([by, at, bad]) => runBadBody(by, at, bad)),
  caller.map(runNowhere),
  ...Array.from({ length: 2 }, () => cancelling),
];
