/** The rules by type of command. A new type does not compile until its rule stands here. */
import type { Command } from '@longarm/contract/commands/index';
import type { CommandType } from '@longarm/contract/commands/types';
import type { EnvelopeCommand } from '@longarm/contract/wire/envelope';
import { authorFault, type Bearings } from './author-rule.ts';
import type { Policy, Trust } from './policy.ts';
import { isQuiet, type LocalTime } from './quiet-hours.ts';

export type Order = {
  readonly policy: Policy;
  readonly ordered: EnvelopeCommand;
  readonly bearings: Bearings;
  readonly localTime: LocalTime;
};

/** A rule that refuses, by its name in the policy file, and why. */
export type Refused = { readonly rule: string; readonly why: string };

type Rule<Type extends CommandType> = (order: Order, command: Extract<Command, { type: Type }>) => Refused | null;
type Rules = { readonly [Type in CommandType]: Rule<Type> };

const trustFault = (order: Order, trust: Trust, rule: string): Refused | null => {
  if (trust === 'off') return { rule, why: 'it is off' };
  const why = trust === 'signed' ? authorFault(order) : null;
  return why === null ? null : { rule, why };
};

const RULES: Rules = {
  RunScript: (order) => trustFault(order, order.policy.scripts, 'scripts'),
  PutFile: (order, { fileName }) => {
    const { putNames, putFiles } = order.policy;
    if (putNames !== null && !putNames.some(({ matches }) => matches(fileName)))
      return { rule: 'putFile.names', why: `${JSON.stringify(fileName)} fits none of its patterns` };
    return trustFault(order, putFiles, 'putFile.files');
  },
  // where the file really lies is known when it is open: the guard's ruling judges that
  GetFile: () => null,
};

const judgeByType = (order: Order): Refused | null => {
  const { command } = order.ordered;
  switch (command.type) {
    case 'RunScript':
      return RULES.RunScript(order, command);
    case 'PutFile':
      return RULES.PutFile(order, command);
    case 'GetFile':
      return RULES.GetFile(order, command);
  }
};

/** The rule that refuses this command here and now, or null. */
export const judgeCommand = (order: Order): Refused | null => {
  const { policy, ordered, localTime } = order;
  const { type } = ordered.command;
  if (!policy.commands.includes(type)) return { rule: 'commands', why: `${type} is not listed` };
  const quiet = policy.quietHours.find((hours) => isQuiet(hours, localTime));
  if (quiet !== undefined) return { rule: 'quietHours', why: `nothing starts from ${quiet.from} to ${quiet.to}` };
  return judgeByType(order);
};
