/**
 * Asks for a sequence of commands on a machine: reads each command, resolves the machine, and hands the store one
 * unit that judges the rest and, for a device that is here and free, claims it. After the commit the device gets its offer, or the
 * dispatcher a hint.
 */
import { strictArgsFault } from '@longarm/contract/args';
import { COMMANDS, type Command, parseCommand } from '@longarm/contract/commands/index';
import type { CommandType } from '@longarm/contract/commands/types';
import { Refusal } from '@longarm/contract/errors';
import { ActionId, type MachineId, parseMachineId } from '@longarm/contract/ids';
import { IDEMPOTENCY_HOURS, type Limits } from '@longarm/contract/limits';
import { allowsCommand, personRolesForCommand } from '@longarm/contract/permission';
import type { RunLiveResponseRequest } from '@longarm/contract/rest/run-live-response';
import type { Caller } from '../audit/ports.ts';
import type { Reach } from '../audit/reach.ts';
import type { MachineRecord } from '../machines/ports.ts';
import type { ActionRecord } from './action-record.ts';
import type { ActionStore, Clock, Hints, NewAction, NewCommand, OfferAtOnce, RequestOutcome } from './ports.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Seconds to suggest to a caller who meets the session limit: sessions end at any moment. */
const SESSIONS_RETRY_SECONDS = 30;

type RequestIo = {
  readonly actions: Pick<ActionStore, 'request'>;
  /** Throws ResourceNotFound, or InvalidInput for a name of several. */
  readonly findMachine: (reach: Reach, text: string) => Promise<MachineRecord>;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged'>;
  readonly dispatch: OfferAtOnce;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly limits: Limits;
  readonly strictArgs: boolean;
};

export type LiveResponseRequest = {
  /** As the caller names it. */
  readonly machine: string;
  readonly body: RunLiveResponseRequest;
  readonly idempotency: { readonly key: string; readonly bodySha256: string } | null;
};

const refuseStrictArgs = (command: Command) => {
  const fault = command.type === 'RunScript' ? strictArgsFault(command.args) : null;
  if (fault !== null) throw new Refusal('InvalidInput', fault);
};

/** Throws Forbidden naming the command and the roles that allow it. */
const refuseDisallowed = (caller: Caller, type: CommandType, index: number) => {
  if (allowsCommand(caller, type)) return;
  throw new Refusal(
    'Forbidden',
    `Commands[${index}] (${type}): ${caller.name} does not have a role that allows it: expected ${personRolesForCommand(type).join(' or ')}.`,
  );
};

const readCommands = (io: RequestIo, caller: Caller, body: RunLiveResponseRequest): readonly NewCommand[] =>
  body.Commands.map((sent, index) => {
    const command = parseCommand(sent, index);
    refuseDisallowed(caller, command.type, index);
    if (io.strictArgs) refuseStrictArgs(command);
    return { sent, command, timeLimitSeconds: io.limits[COMMANDS[command.type].timeLimit] };
  });

const refusal = (outcome: Exclude<RequestOutcome, { action: ActionRecord }>, machine: string): Refusal => {
  switch (outcome.kind) {
    case 'locked-down':
      return new Refusal(
        'DisallowedOperation',
        `The server is in lockdown and accepts no live response (${outcome.reason}). Its administrator lifts it with \`longarm lockdown off\`.`,
      );
    case 'no-machine':
      return new Refusal('ResourceNotFound', `Machine ${machine} was not found.`);
    case 'switched-off':
      return new Refusal(
        'DisallowedOperation',
        `Live response is switched off for the device group ${JSON.stringify(outcome.group)}, which machine ${machine} is in. An administrator can switch it on.`,
      );
    case 'not-enrolled':
      return new Refusal(
        'DisallowedOperation',
        `Machine ${machine} ${outcome.said}. It gets nothing to do; an administrator decides with \`longarm machines approve\`.`,
      );
    case 'no-file':
      return new Refusal(
        'InvalidInput',
        `Commands[${outcome.index}]: ${JSON.stringify(outcome.name)} is not in the library. Upload it first.`,
      );
    case 'busy':
      return new Refusal(
        'ActiveRequestAlreadyExists',
        `Machine ${machine} has an active live response action: ${outcome.activeId}. Wait until it ends, or cancel it.`,
      );
    case 'sessions-full':
      return new Refusal(
        'TooManyRequests',
        'Too many requests: all live response sessions are in use. Try again when one has ended.',
        {
          retryAfterSeconds: SESSIONS_RETRY_SECONDS,
        },
      );
    case 'key-reused':
      return new Refusal(
        'BadRequest',
        'This Idempotency-Key was used with another request within the last 24 hours. Use a new key.',
      );
  }
};

/** All of it but the machine. */
const newAction = (
  io: RequestIo,
  caller: Caller,
  { request, commands }: { readonly request: LiveResponseRequest; readonly commands: readonly NewCommand[] },
): Omit<NewAction, 'machineId' | 'claimFor'> => {
  const now = io.clock.now();
  const seconds = commands.reduce((sum, command) => sum + command.timeLimitSeconds, 0);
  return {
    id: ActionId.parse(io.newId()),
    tenantId: caller.tenantId,
    deviceGroups: caller.deviceGroups,
    requestor: caller.name,
    origin: caller.origin,
    requester: { principal: caller.principal, applicationId: caller.applicationId, name: caller.name },
    caller: caller.subject,
    comment: request.body.Comment ?? '',
    commands,
    idempotency:
      request.idempotency === null ? null : { ...request.idempotency, expiresAt: now + IDEMPOTENCY_HOURS * HOUR_MS },
    now,
    queueMs: Math.ceil(io.limits['queue-hours'] * HOUR_MS),
    runMs: Math.ceil(seconds * 1_000 + io.limits['grace-minutes'] * MINUTE_MS),
    maxUnfinishedPerMachine: io.limits['queued-per-machine'],
    maxSessions: io.limits.sessions,
  };
};

type Asked = { readonly outcome: RequestOutcome; readonly machineId: MachineId };

/** An id goes to the unit as it is, which finds the machine itself; a name, and an id that is none, is looked up first. */
const onMachine = async (
  io: RequestIo,
  caller: Caller,
  { text, ask }: { readonly text: string; readonly ask: (machineId: MachineId) => Promise<RequestOutcome> },
): Promise<Asked> => {
  const id = parseMachineId(text);
  const outcome = id === null ? null : await ask(id);
  if (id !== null && outcome !== null && outcome.kind !== 'no-machine') return { outcome, machineId: id };
  const { id: machineId } = await io.findMachine(caller, text);
  return { outcome: await ask(machineId), machineId };
};

export const requestLiveResponse =
  (io: RequestIo) =>
  async (caller: Caller, request: LiveResponseRequest): Promise<ActionRecord> => {
    const commands = readCommands(io, caller, request.body);
    const ask = (machineId: MachineId) =>
      io.actions.request({
        ...newAction(io, caller, { request, commands }),
        machineId,
        claimFor: io.dispatch.claimFor(machineId),
      });
    const { outcome, machineId } = await onMachine(io, caller, { text: request.machine, ask });
    if (!('action' in outcome)) throw refusal(outcome, request.machine);
    if (outcome.kind === 'accepted' && outcome.claim !== null) io.dispatch.offer(machineId, outcome.claim);
    else if (outcome.kind === 'accepted') io.hints.wake(machineId);
    return outcome.action;
  };
