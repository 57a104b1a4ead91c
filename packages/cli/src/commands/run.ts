import type { Client } from '@longarm/client/create-client';
import { Unreachable } from '@longarm/client/unreachable';
import type { ActionEntity } from '@longarm/contract/action';
import type { SentCommand } from '@longarm/contract/commands/types';
import type { Command } from 'commander';
import { readSeconds } from '../arguments/numbers.ts';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printAction } from '../display/action-view.ts';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import { collectResults } from '../results/collect-results.ts';
import { resultFolder } from '../results/save-result.ts';
import { followAction } from '../run/follow-action.ts';
import { createProgress } from '../run/progress.ts';
import { createSequence } from '../run/sequence.ts';
import { showLiveOutput } from '../run/show-live-output.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & {
  readonly comment: string;
  readonly wait?: true;
  readonly follow?: true;
  readonly waitSeconds?: number;
  readonly out?: string;
  readonly raw?: true;
  readonly idempotencyKey?: string;
};

/** A command that waits anyway waits this long for a limit to let it pass. */
const PATIENCE_SECONDS = 120;

const requireWaiting = (flags: Flags): void => {
  const idle = [flags.out === undefined ? '' : '--out', flags.raw ? '--raw' : ''].filter((name) => name !== '');
  if (idle.length > 0) throw usageFault(`${idle.join(' and ')} only means something with --wait, which is not given.`);
};

/** Shows what the action's scripts say, one after another, as they run. */
const followOutputs = async (
  io: Io,
  client: Client,
  task: { action: ActionEntity; flags: Flags; signal: AbortSignal },
) => {
  const { action, flags, signal } = task;
  const [json, raw] = [flags.json === true, flags.raw === true];
  for (const { index, command } of flags.follow ? action.commands : [])
    if (command.type === 'RunScript')
      await showLiveOutput(io, client, { actionId: action.id, index, json, raw, signal });
};

/** The final entity; what is still being shown is shown to its end. */
const awaitEnd = async (
  io: Io,
  client: Client,
  task: { action: ActionEntity; flags: Flags; interrupted: AbortSignal },
) => {
  const { action, flags, interrupted } = task;
  const over = new AbortController();
  const shown = followOutputs(io, client, { action, flags, signal: AbortSignal.any([interrupted, over.signal]) });
  // awaited below, unless the other fails first
  shown.catch(() => undefined);
  try {
    const ended = await followAction(io, client, {
      actionId: action.id,
      progress: createProgress(io, { json: flags.json === true, isAlone: flags.follow !== true }),
      waitSeconds: flags.waitSeconds ?? null,
      interrupted,
    });
    await shown;
    return ended;
  } finally {
    over.abort();
  }
};

const waitFor = async (io: Io, client: Client, task: { action: ActionEntity; flags: Flags }): Promise<void> => {
  const { action, flags } = task;
  const json = flags.json === true;
  const interrupted = io.interruption();
  const ended = await awaitEnd(io, client, { action, flags, interrupted });
  const folder = flags.out ?? resultFolder(action.id);
  const save = { client, world: io.world, signal: interrupted };
  await collectResults(io, save, {
    action: ended,
    folder,
    json,
    raw: flags.raw === true,
    isShown: flags.follow === true,
  });
  if (ended.status !== 'Succeeded') {
    throw new CliFault('notSucceeded', `The action ${ended.id} ended as ${ended.status}.`);
  }
};

/** A call that carries a key may be made again where nobody knows whether it arrived. */
const requestOnce = async (request: () => Promise<ActionEntity>): Promise<ActionEntity> => {
  try {
    return await request();
  } catch (failure) {
    const unknown = failure instanceof Unreachable && (failure.reason === 'cut' || failure.reason === 'silent');
    if (!unknown) throw failure;
    return await request();
  }
};

const run = async (io: Io, machine: string, task: { commands: readonly SentCommand[]; flags: Flags }) => {
  const { flags } = task;
  const waits = flags.wait === true || flags.follow === true || flags.waitSeconds !== undefined;
  if (!waits) requireWaiting(flags);
  const client = await connect(io, flags, waits ? PATIENCE_SECONDS : 0);
  const commands = task.commands.map((command) => ({ type: command.type, params: [...command.params] }));
  const request = { Commands: commands, Comment: flags.comment };
  const idempotencyKey = flags.idempotencyKey ?? io.world.randomId();
  const action = await requestOnce(() => client.runLiveResponse(machine, request, { idempotencyKey }));
  if (!waits) return flags.json ? printJson(io, action) : printAction(io, action);
  if (!flags.json) await printLines(io, [`action ${visible(action.id)}`]);
  await waitFor(io, client, { action, flags });
};

export const addRun = (parent: Command, parts: LongarmParts): void => {
  const sequence = createSequence();
  const command = parent
    .command('run')
    .description('run a sequence of commands on a machine, in the order in which they are given')
    .argument('<machine>', 'id, DNS name or aadDeviceId')
    .requiredOption('--comment <text>', 'why; it is kept with the action')
    .option('--put <name>', 'library file into the working folder; NAME,keep or NAME,no-overwrite', sequence.put)
    .option('--script <name>', 'run a script of the library', sequence.script)
    .option('--args <text>', 'arguments of the --script before it', sequence.args)
    .option('--get <path>', 'collect a file from the machine', sequence.get)
    .option('--wait', 'show each command as it changes, and save the results')
    .option('--follow', 'wait, and show the output of scripts as it comes')
    .option('--wait-seconds <n>', 'wait, but not longer than this', readSeconds)
    .option('--out <dir>', 'where results go (default: ./longarm-<action id>)')
    .option('--raw', 'show output as it came, control characters too')
    .option('--idempotency-key <text>', 'the same key and request within 24 hours is the same action');
  remoteCommand(command, {
    json: 'print the action as JSON; with --wait JSON lines: {"event":"action"|"output"|"result",…}',
    examples: [
      'longarm run host1 --script triage.sh --args "-days 7" --get /var/tmp/triage.tgz --comment "case 4711" --wait',
      'longarm run host1 --put tool.zip,keep --script unpack.sh --comment "case 4711" --json',
    ],
  });
  command.action((machine: string, flags: Flags) => run(parts.io, machine, { commands: sequence.commands(), flags }));
};
