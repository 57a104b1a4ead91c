/** The options of `run` that make commands, in the order in which they were given. */
import { parseCommand } from '@longarm/contract/commands/index';
import type { SentCommand } from '@longarm/contract/commands/types';
import { Refusal } from '@longarm/contract/errors';
import { InvalidArgumentError } from 'commander';
import { usageFault } from '../faults/cli-fault.ts';

type Param = { readonly key: string; readonly value: string };

export type Sequence = {
  /** `NAME`, `NAME,keep`, `NAME,no-overwrite`, or both. */
  readonly put: (spec: string) => void;
  readonly script: (name: string) => void;
  /** Belongs to the script before it. */
  readonly args: (text: string) => void;
  readonly get: (path: string) => void;
  /** Throws a usage fault for none at all, and for one that the server would refuse. */
  readonly commands: () => readonly SentCommand[];
};

const PUT_SUFFIXES: ReadonlyMap<string, Param> = new Map([
  ['keep', { key: 'Keep', value: 'true' }],
  ['no-overwrite', { key: 'Overwrite', value: 'false' }],
]);

/** Known words behind commas are taken off the end; any other comma is part of the name. */
const readPut = (spec: string): SentCommand => {
  const params: Param[] = [];
  let name = spec;
  for (;;) {
    const comma = name.lastIndexOf(',');
    const param = comma < 0 ? undefined : PUT_SUFFIXES.get(name.slice(comma + 1));
    if (param === undefined) break;
    params.push(param);
    name = name.slice(0, comma);
  }
  return { type: 'PutFile', params: [{ key: 'FileName', value: name }, ...params] };
};

const check = (commands: readonly SentCommand[]): void => {
  if (commands.length === 0) {
    throw usageFault('Expected at least one of --put, --script or --get, got none.', 'See `longarm run --help`.');
  }
  try {
    commands.forEach(parseCommand);
  } catch (error) {
    throw error instanceof Refusal ? usageFault(error.message) : error;
  }
};

export const createSequence = (): Sequence => {
  const commands: { type: string; params: Param[] }[] = [];
  const add = (command: SentCommand) => {
    commands.push({ type: command.type, params: [...command.params] });
  };
  return {
    put: (spec) => add(readPut(spec)),
    script: (name) => add({ type: 'RunScript', params: [{ key: 'ScriptName', value: name }] }),
    args: (text) => {
      const last = commands.at(-1);
      if (last?.type !== 'RunScript' || last.params.some((param) => param.key === 'Args')) {
        throw new InvalidArgumentError('Expected a --script right before it; one --args each.');
      }
      last.params.push({ key: 'Args', value: text });
    },
    get: (path) => add({ type: 'GetFile', params: [{ key: 'Path', value: path }] }),
    commands: () => {
      check(commands);
      return commands;
    },
  };
};
