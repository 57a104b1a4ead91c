/** What the service's definition starts the agent with, behind `--state`: from the options of this install and of those before. */
import { existsSync, readFileSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { OsPlatform } from '@longarm/contract/machine';
import { z } from 'zod';
import type { ServiceOptions } from './service-options.ts';

/** Options that an install keeps for the next one: a newer executable must not narrow or widen what this device allows. */
export const KeptOptions = z.strictObject({
  'work-mib': z.string().optional(),
  policy: z.string().optional(),
  'require-signatures': z.boolean().optional(),
  'key-days': z.string().optional(),
});
export type KeptOptions = z.infer<typeof KeptOptions>;

const NAMES = [
  'work-mib',
  'policy',
  'require-signatures',
  'key-days',
] as const satisfies readonly (keyof KeptOptions)[];

/** A PiB: beyond it a mistake, not a disk. */
const MOST_WORK_MIB = 1_073_741_824;

const MOST_KEY_DAYS = 3_650;

const workMibFault = (text: string): string | null => {
  const mib = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  return mib > 0 && mib <= MOST_WORK_MIB
    ? null
    : `--work-mib: expected a number of MiB above 0, got ${JSON.stringify(text)}`;
};

const keyDaysFault = (text: string): string | null => {
  const days = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  return days > 0 && days <= MOST_KEY_DAYS
    ? null
    : `--key-days: expected a number of days above 0, got ${JSON.stringify(text)}`;
};

const policyFault = (path: string, osPlatform: OsPlatform): string | null => {
  const { isAbsolute } = osPlatform === 'Windows' ? win32 : posix;
  if (!isAbsolute(path))
    return `--policy: expected the whole path of a file, since the service starts in another folder, got ${JSON.stringify(path)}`;
  // a task of Windows puts variables in the place of %NAME%, and a quote would end the argument
  const strange = osPlatform === 'Windows' ? /[\p{Cc}%"]/u : /\p{Cc}/u;
  return strange.test(path)
    ? `--policy: expected a path without control characters${osPlatform === 'Windows' ? ', % and "' : ''}, got ${JSON.stringify(path)}`
    : null;
};

/** Throws a sentence for a value that the agent would refuse to start with. */
const requireGood = (options: KeptOptions, osPlatform: OsPlatform): void => {
  const { policy, 'work-mib': workMib, 'key-days': keyDays } = options;
  const fault =
    (workMib === undefined ? null : workMibFault(workMib)) ??
    (keyDays === undefined ? null : keyDaysFault(keyDays)) ??
    (policy === undefined ? null : policyFault(policy, osPlatform));
  if (fault !== null) throw new Error(fault);
};

/** What the install before this one kept in this file; nothing where there was none. Throws a sentence for another content. */
export const readKept = (path: string): KeptOptions => {
  if (!existsSync(path)) return {};
  try {
    return KeptOptions.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(
      `${path}: expected the options of an earlier install, got something else. Remove it, and give install every option that the service is to have.`,
      { cause },
    );
  }
};

/** Those given now, and behind them those that an earlier install kept, unless they are to be forgotten. Throws a sentence. */
export const keptOptions = (given: ServiceOptions, before: KeptOptions, osPlatform: OsPlatform): KeptOptions => {
  const earlier = given.anew === true ? {} : before;
  const options: Record<string, string | boolean> = {};
  for (const name of NAMES) {
    const value = given[name] ?? earlier[name];
    if (value !== undefined) options[name] = value;
  }
  const kept = KeptOptions.parse(options);
  requireGood(kept, osPlatform);
  return kept;
};

/** Those that come from an earlier install alone, as one would give them: said, so that nobody wonders. */
export const earlierOptions = (given: ServiceOptions, kept: KeptOptions): readonly string[] =>
  NAMES.filter((name) => kept[name] !== undefined && given[name] === undefined).map((name) =>
    kept[name] === true ? `--${name}` : `--${name} ${kept[name]}`,
  );

/** The arguments, one each, not quoted for anything yet. `proxy`: an origin. */
export const serviceArguments = (kept: KeptOptions, proxy: string | null): readonly string[] => [
  ...(proxy === null ? [] : ['--proxy', proxy]),
  ...NAMES.flatMap((name) => {
    const value = kept[name];
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, value];
  }),
];
