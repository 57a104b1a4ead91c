/** RunScript: a library script runs on the device; `Args` is split by quotes and passed to it. */
import { z } from 'zod';
import { argsFault, splitArgs } from '../args.ts';
import { Refusal } from '../errors.ts';
import { fileNameFault } from '../file-name.ts';
import { type ParamMap, requireParam } from './params.ts';

export const RunScript = z.object({
  type: z.literal('RunScript'),
  scriptName: z.string(),
  /** As sent; the device splits it again with the same grammar. Empty when absent. */
  args: z.string(),
});
export type RunScript = z.infer<typeof RunScript>;

export const runScriptParams = ['ScriptName', 'Args'] as const;

export const parseRunScript = (params: ParamMap, where: string): RunScript => {
  const scriptName = requireParam(params, 'ScriptName', where);
  const nameFault = fileNameFault(scriptName);
  if (nameFault !== null) throw new Refusal('InvalidInput', `${where}: ScriptName: ${nameFault}.`);
  const args = params.get('args') ?? '';
  const fault = argsFault(scriptName, splitArgs(args));
  if (fault !== null) throw new Refusal('InvalidInput', `${where}: ${fault}`);
  return { type: 'RunScript', scriptName, args };
};
