/** Helpers that the one-file-per-command specifications share: named string parameters, matched in any case. */
import { Refusal } from '../errors.ts';

/** Parameters by lower-case key, as sent. */
export type ParamMap = ReadonlyMap<string, string>;

export const requireParam = (params: ParamMap, key: string, where: string): string => {
  const value = params.get(key.toLowerCase());
  if (value === undefined) throw new Refusal('MissingRequiredParameter', `${where}: the parameter ${key} is missing.`);
  if (value === '') throw new Refusal('InvalidInput', `${where}: the parameter ${key} is empty.`);
  return value;
};

export const booleanParam = (
  params: ParamMap,
  key: string,
  options: { readonly where: string; readonly absent: boolean },
): boolean => {
  const value = params.get(key.toLowerCase());
  if (value === undefined) return options.absent;
  if (/^true$/i.test(value)) return true;
  if (/^false$/i.test(value)) return false;
  throw new Refusal('InvalidInput', `${options.where}: ${key} takes "true" or "false", got ${JSON.stringify(value)}.`);
};
