/** GetFile: a file is collected from the device, transferred and stored raw, wrapped as gzip at download. */
import { z } from 'zod';
import { Refusal } from '../errors.ts';
import { type ParamMap, requireParam } from './params.ts';

export const GetFile = z.object({
  type: z.literal('GetFile'),
  /** Absolute, or relative to the working folder; the device's own separators. */
  path: z.string(),
});
export type GetFile = z.infer<typeof GetFile>;

export const getFileParams = ['Path'] as const;

export const parseGetFile = (params: ParamMap, where: string): GetFile => {
  const path = requireParam(params, 'Path', where);
  if (path.includes('\u0000'))
    throw new Refusal('InvalidInput', `${where}: Path: a NUL character cannot be part of a path.`);
  return { type: 'GetFile', path };
};
