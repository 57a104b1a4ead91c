/** What every command that speaks to the server has in common: connection, `--json`, examples. */
import type { Command } from 'commander';
import { addConnectionFlags, CONNECTION_HELP, type ConnectionFlags } from '../connection/flags.ts';
import { readSeconds } from './numbers.ts';

export type JsonFlag = { readonly json?: true };
export type RemoteFlags = ConnectionFlags & JsonFlag;

export const addExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);

export const addJsonFlag = (command: Command, what = 'print one JSON document and nothing else'): Command =>
  command.option('--json', what);

/** `json`: what `--json` prints, where it is not one document. */
export const remoteCommand = (
  command: Command,
  about: { readonly examples: readonly string[]; readonly json?: string },
): Command => {
  addJsonFlag(command, about.json);
  addConnectionFlags(command, readSeconds);
  addExamples(command, about.examples);
  return command.addHelpText('after', `\n${CONNECTION_HELP}`);
};
