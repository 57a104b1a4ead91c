import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printAction } from '../display/action-view.ts';
import { printJson } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & { readonly reason: string };

const DECISIONS = {
  approve: 'approve an action that waits for a second person; not by whoever requested it',
  deny: 'deny an action that waits for a second person: it is Cancelled, with the reason',
} as const;

const addDecision = (parent: Command, parts: LongarmParts, verb: keyof typeof DECISIONS): void => {
  const command = parent
    .command(verb)
    .description(DECISIONS[verb])
    .argument('<action>', 'id of the action')
    .requiredOption('--reason <text>', 'why; it is kept with the action');
  remoteCommand(command, {
    examples: [`longarm ${verb} 5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11 --reason "case 4711"`],
  });
  command.action(async (id: string, flags: Flags) => {
    const client = await connect(parts.io, flags);
    const decide = verb === 'approve' ? client.approveAction : client.denyAction;
    const action = await decide(id, flags.reason);
    await (flags.json ? printJson(parts.io, action) : printAction(parts.io, action));
  });
};

export const addApprove = (parent: Command, parts: LongarmParts): void => addDecision(parent, parts, 'approve');
export const addDeny = (parent: Command, parts: LongarmParts): void => addDecision(parent, parts, 'deny');
