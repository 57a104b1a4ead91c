/** PutFile: a library file goes into the device's working folder. It has no result, even when it succeeded. */
import { z } from 'zod';
import { Refusal } from '../errors.ts';
import { fileNameFault } from '../file-name.ts';
import { booleanParam, type ParamMap, requireParam } from './params.ts';

export const PutFile = z.object({
  type: z.literal('PutFile'),
  fileName: z.string(),
  /** Additional: over the same name with another content; `false` fails instead. */
  overwrite: z.boolean(),
  /** Additional: survives a restart of the device. */
  keep: z.boolean(),
});
export type PutFile = z.infer<typeof PutFile>;

export const putFileParams = ['FileName', 'Overwrite', 'Keep'] as const;

export const parsePutFile = (params: ParamMap, where: string): PutFile => {
  const fileName = requireParam(params, 'FileName', where);
  const fault = fileNameFault(fileName);
  if (fault !== null) throw new Refusal('InvalidInput', `${where}: FileName: ${fault}.`);
  return {
    type: 'PutFile',
    fileName,
    overwrite: booleanParam(params, 'Overwrite', { where, absent: true }),
    keep: booleanParam(params, 'Keep', { where, absent: false }),
  };
};
