import type { Client } from '@longarm/client/create-client';
import type { ResultForm } from '@longarm/client/open-result';
import type { CommandEntity } from '@longarm/contract/action';
import type { Command } from 'commander';
import { readIndex } from '../arguments/numbers.ts';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson } from '../display/print.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import { commandSubject } from '../results/command-parameter.ts';
import { requireFree } from '../results/free-path.ts';
import { printSaved } from '../results/print-saved.ts';
import { safeFileName } from '../results/safe-file-name.ts';
import { saveForm } from '../results/save-result.ts';
import { streamBytes, streamJson, streamVisible } from '../results/stream-result.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & { readonly out?: string; readonly raw?: true };
type Task = { readonly actionId: string; readonly command: CommandEntity; readonly flags: Flags };

const PATIENCE_SECONDS = 60;

const requireCommand = async (client: Client, actionId: string, index: number): Promise<CommandEntity> => {
  const action = await client.getAction(actionId);
  const command = action.commands.find((one) => one.index === index);
  if (command !== undefined) return command;
  throw new CliFault(
    'refused',
    `Expected the index of one of ${action.commands.length} commands, counted from 0, got ${index}.`,
    `See \`longarm actions get ${actionId}\`.`,
  );
};

const save = async (io: Io, client: Client, task: Task & { form: ResultForm; path: string }): Promise<void> => {
  await requireFree(task.path);
  const saved = await saveForm({ client, world: io.world, signal: io.interruption() }, task);
  await (task.flags.json ? printJson(io, saved) : printSaved(io, saved));
};

/** A collected file goes to disk, or to standard output where that is asked for by `--out -`. */
const file = async (io: Io, client: Client, task: Task): Promise<void> => {
  const { flags, command } = task;
  const address = { actionId: task.actionId, index: command.index };
  if (flags.out !== '-') {
    const path = flags.out ?? safeFileName(commandSubject(command), `${command.index}-file`);
    return await save(io, client, { ...task, form: 'file', path });
  }
  if (flags.json) throw usageFault('--json and --out - both want standard output; give one of them.');
  if (io.isTty && !flags.raw) {
    throw usageFault('A collected file may hold what a terminal obeys.', 'Give --raw to have it there all the same.');
  }
  await streamBytes(io.stdout, await client.openResult(address, { form: 'file', signal: io.interruption() }));
};

/** A script's output is shown, its errors on standard error; `--json` and `--out` give the document itself. */
const script = async (io: Io, client: Client, task: Task): Promise<void> => {
  const { flags, command } = task;
  const address = { actionId: task.actionId, index: command.index };
  const open = (form: ResultForm) => client.openResult(address, { form, signal: io.interruption() });
  if (flags.out !== undefined && flags.out !== '-') {
    return await save(io, client, { ...task, form: flags.raw ? 'stdout' : 'whole', path: flags.out });
  }
  if (flags.json || (flags.out === '-' && !flags.raw)) return await streamJson(io.stdout, await open('whole'));
  const stream = flags.raw ? streamBytes : streamVisible;
  const present = new Set(command.results.map((result) => result.stream));
  if (present.has('stdout')) await stream(io.stdout, await open('stdout'));
  if (present.has('stderr')) await stream(io.stderr, await open('stderr'));
};

export const addResult = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('result')
    .description('show or save what one command of an action left')
    .argument('<action>', 'id of the action')
    .argument('<index>', 'index of the command, from 0', readIndex)
    .option('--out <file>', 'save it there; - is standard output (default: a file: its own name; a script: show it)')
    .option('--raw', "a script's output as it came, control characters too; with --out: its stdout, not the JSON");
  remoteCommand(command, {
    json: "print the script's JSON as it is; for a file: where it was saved, with its SHA-256",
    examples: [
      'longarm result 5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11 0',
      'longarm result 5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11 1 --out triage.tgz',
    ],
  });
  command.action(async (actionId: string, index: number, flags: Flags) => {
    const client = await connect(parts.io, flags, PATIENCE_SECONDS);
    const found = await requireCommand(client, actionId, index);
    // The server's own sentence says best why there is nothing yet, or never will be.
    if (found.results.length === 0) await client.getResultLink({ actionId, index });
    const task = { actionId, command: found, flags };
    const isFile = found.results.some((result) => result.stream === 'file');
    await (isFile ? file : script)(parts.io, client, task);
  });
};
