/** Which program runs a script: by the suffix of its name, otherwise by its first line. */
import type { OsPlatform } from '@longarm/contract/machine';

type Found =
  | {
      readonly kind: 'found' /** Program and arguments, before the script and its own. */;
      readonly command: readonly string[];
    }
  /** No such program, or nothing says which: a sentence that names what is missing. */
  | { readonly kind: 'missing'; readonly sentence: string };

export type Script = {
  readonly name: string;
  /** Its first bytes, as text; anything where the name says enough. */
  readonly start: string;
};

type Host = {
  readonly osPlatform: OsPlatform;
  /** Absolute path of a program on the script's PATH, or null. */
  readonly which: (program: string) => string | null;
};

const POWERSHELL = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'] as const;

const suffixOf = (name: string): string => /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';

type Interpreter = { readonly programs: readonly string[]; readonly options: readonly string[] };

const bySuffix = (suffix: string, osPlatform: OsPlatform): Interpreter | null => {
  switch (suffix) {
    case 'sh':
      return { programs: ['bash'], options: [] };
    case 'ps1':
      return { programs: ['pwsh', 'powershell'], options: POWERSHELL };
    case 'py':
      return { programs: osPlatform === 'Windows' ? ['python', 'python3'] : ['python3'], options: [] };
    case 'cmd':
    case 'bat':
      // /d: no commands from the registry first
      return osPlatform === 'Windows' ? { programs: ['cmd.exe'], options: ['/d', '/c'] } : null;
    default:
      return null;
  }
};

/** `#!program argument`: as Linux reads it, everything behind the program is one argument (execve(2)). */
const byFirstLine = (start: string): Interpreter | null => {
  const [, program, argument] = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t]*\r?(?:\n|$)/.exec(start) ?? [];
  if (program === undefined) return null;
  return { programs: [program], options: argument === undefined || argument === '' ? [] : [argument] };
};

/** Nothing else says what runs it. */
export const needsFirstLine = (name: string, osPlatform: OsPlatform): boolean =>
  bySuffix(suffixOf(name), osPlatform) === null;

export const findInterpreter = (host: Host, script: Script): Found => {
  const suffix = suffixOf(script.name);
  const isBatch = suffix === 'cmd' || suffix === 'bat';
  if (isBatch && host.osPlatform !== 'Windows')
    return {
      kind: 'missing',
      sentence: `${script.name}: .${suffix} scripts run on Windows only, and this is ${host.osPlatform}`,
    };
  const interpreter = bySuffix(suffix, host.osPlatform) ?? byFirstLine(script.start);
  if (interpreter === null)
    return {
      kind: 'missing',
      sentence: `${script.name}: expected a name that ends in .sh, .ps1, .py, .cmd or .bat, or a first line #!program, got neither`,
    };
  const { programs, options } = interpreter;
  const found = programs.map(host.which).find((path) => path !== null);
  return found === undefined || found === null
    ? {
        kind: 'missing',
        sentence: `${script.name}: ${programs.join(' or ')} runs it, and is not installed on this device`,
      }
    : { kind: 'found', command: [found, ...options] };
};
