import type { Client } from '@longarm/client/create-client';
import { isFinal } from '@longarm/contract/action';
import type { Command } from 'commander';
import { readIndex } from '../arguments/numbers.ts';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { CliFault } from '../faults/cli-fault.ts';
import { showLiveOutput } from '../run/show-live-output.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & { readonly follow?: true; readonly raw?: true };

const PATIENCE_SECONDS = 60;

/** Without --follow nobody expects to wait. */
const requireEnded = async (client: Client, actionId: string, index: number): Promise<void> => {
  const action = await client.getAction(actionId);
  const status = action.commands[index]?.commandStatus;
  if (isFinal(action.status) || (status !== 'Created' && status !== 'Executing')) return;
  const what = status === 'Created' ? 'has not started' : 'still runs';
  throw new CliFault('refused', `Command ${index} ${what}.`, 'Give --follow to see its output as it comes.');
};

export const addOutput = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('output')
    .description('show the output of a script, also while it runs')
    .argument('<action>', 'id of the action')
    .argument('<index>', 'index of the command, from 0', readIndex)
    .option('--follow', 'wait for more until the command has ended')
    .option('--raw', 'control characters as they came');
  remoteCommand(command, {
    json: 'print JSON lines: {"event":"output","index","stream","offset","text"}',
    examples: ['longarm output 5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11 0 --follow'],
  });
  command.action(async (actionId: string, index: number, flags: Flags) => {
    const client = await connect(parts.io, flags, PATIENCE_SECONDS);
    if (flags.follow !== true) await requireEnded(client, actionId, index);
    const signal = parts.io.interruption();
    const json = flags.json === true;
    await showLiveOutput(parts.io, client, { actionId, index, json, raw: flags.raw === true, signal });
  });
};
