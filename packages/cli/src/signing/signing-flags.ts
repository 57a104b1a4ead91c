/** The options by which an author says what a signature allows, for `library sign` and `library upload`. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CommandType } from '@longarm/contract/commands/types';
import { fileNameFault } from '@longarm/contract/file-name';
import { MachineId, Sha256 } from '@longarm/contract/ids';
import { type AllowedArguments, readArgumentLine } from '@longarm/contract/signing/argument-pattern';
import { type AllowedMachines, LocalName } from '@longarm/contract/signing/author-signature';
import { type Command, Option } from 'commander';
import { readSecretFile } from '../connection/read-secret.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';
import { openAuthorKey } from './author-key-file.ts';
import { type Claim, signClaim } from './sign-claim.ts';

export type SigningFlags = {
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly args?: readonly string[] | false;
  readonly anyArgs?: true;
  readonly machine?: readonly string[];
  readonly tag?: readonly string[];
  readonly group?: readonly string[];
  readonly anyMachine?: true;
  readonly use?: readonly CommandType[];
  readonly notBefore?: string;
  readonly expires?: string;
};

/** Commands that use a library file. */
const USES: readonly CommandType[] = ['RunScript', 'PutFile'];

const collect = (text: string, before: readonly string[] | boolean | undefined): readonly string[] => [
  ...(Array.isArray(before) ? before : []),
  text,
];

export const addSigningFlags = (command: Command): Command =>
  command
    .option('--key <file>', "the author's key, from `longarm author-key create`")
    .option('--passphrase-file <file>', 'file with the passphrase of the key')
    .option('--args <line>', 'allow this line of arguments; <int>, <int:1..30>, <word>, <one-of:a|b>, <any>', collect)
    .option('--no-args', 'allow the script without arguments')
    .option('--any-args', 'allow whatever arguments')
    .option('--machine <id>', 'allow this machine; again for more', collect)
    .option('--tag <name>', 'allow devices that hold this tag in their own policy; again for more', collect)
    .option('--group <name>', 'allow devices that hold this group in their own policy; again for more', collect)
    .option('--any-machine', 'allow every device that lists this author')
    .addOption(new Option('--use <command...>', 'for which commands (default: RunScript)').choices(USES))
    .option('--not-before <date>', 'first moment at which it counts, such as 2026-12-01 or 2026-12-01T08:00:00Z')
    .option('--expires <date>', 'first moment at which it no longer counts (default: never)');

/** Whether something was said that only a signature can hold. */
export const isAboutSigning = (flags: SigningFlags): boolean =>
  [flags.args, flags.anyArgs, flags.machine, flags.tag, flags.group, flags.anyMachine, flags.use].some(
    (value) => value !== undefined,
  ) ||
  flags.notBefore !== undefined ||
  flags.expires !== undefined;

const readArguments = ({ args, anyArgs, use = ['RunScript'] }: SigningFlags): AllowedArguments => {
  // a file that is only put is given none
  const isNone = args === false || (args === undefined && anyArgs === undefined && !use.includes('RunScript'));
  const lines = Array.isArray(args) ? args : [];
  if (anyArgs === true && (isNone || lines.length > 0)) throw usageFault('Expected --any-args alone, got others too.');
  if (anyArgs === true) return 'any';
  if (isNone) return [[]];
  if (lines.length === 0)
    throw usageFault('Expected --args LINE, --no-args or --any-args: what may the script be given? Got none.');
  if (lines.length > 32) throw usageFault(`Expected at most 32 times --args, got ${lines.length}.`);
  return lines.map(readArgumentLine);
};

const parseEach = <Value>(
  texts: readonly string[],
  schema: { readonly safeParse: (text: string) => { readonly data?: Value | undefined } },
  what: string,
): Value[] =>
  texts.map((text) => {
    const { data } = schema.safeParse(text);
    if (data === undefined) throw usageFault(`Expected ${what}, got ${JSON.stringify(text)}.`);
    return data;
  });

const readMachines = ({ machine = [], tag = [], group = [], anyMachine }: SigningFlags): AllowedMachines => {
  const isNamed = machine.length + tag.length + group.length > 0;
  if (isNamed === (anyMachine === true))
    throw usageFault('Expected --machine, --tag, --group, or else --any-machine: where may it be used?');
  if (!isNamed) return 'any';
  return {
    ids: parseEach(machine, MachineId, 'a machine id of 40 hex digits'),
    tags: parseEach(tag, LocalName, 'a tag'),
    groups: parseEach(group, LocalName, 'a group'),
  };
};

const readMoment = (text: string, option: string): number => {
  const moment = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment))
    throw usageFault(`${option}: expected a date such as 2027-01-31, got ${JSON.stringify(text)}.`);
  return moment;
};

const hashOf = async (path: string): Promise<Pick<Claim, 'sha256' | 'sizeBytes'>> => {
  if (!(await stat(path)).isFile()) throw new CliFault('local', `Expected a file at ${path}, got something else.`);
  const hasher = new Bun.CryptoHasher('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path)) {
    hasher.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: Sha256.parse(hasher.digest('hex')), sizeBytes };
};

const askPassphrase = async (io: Io, { passphraseFile }: SigningFlags): Promise<string> => {
  if (passphraseFile !== undefined) return readSecretFile(passphraseFile);
  const answer = io.isTty ? await io.promptSecret('Passphrase of the author key') : null;
  if (answer === null)
    throw usageFault('Expected the passphrase of the author key, got none.', 'Give --passphrase-file.');
  return answer;
};

/** Signs the file at the path under this library name. Throws usage faults, and CliFault `local` for files. */
export const signFile = async (
  io: Io,
  file: { readonly path: string; readonly name: string | undefined },
  flags: SigningFlags,
): Promise<{ readonly signature: string; readonly claim: Claim }> => {
  if (flags.key === undefined) throw usageFault("Expected --key FILE, the author's key, got none.");
  const name = file.name ?? basename(file.path);
  const fault = fileNameFault(name);
  if (fault !== null) throw usageFault(`--name: ${fault}.`);
  const notBefore = flags.notBefore === undefined ? 0 : readMoment(flags.notBefore, '--not-before');
  const expiresAt = flags.expires === undefined ? null : readMoment(flags.expires, '--expires');
  if (expiresAt !== null && expiresAt <= Math.max(notBefore, io.world.now()))
    throw usageFault('--expires: expected a moment to come, got one past.');
  const claim: Claim = {
    fileName: name,
    ...(await hashOf(file.path)),
    uses: [...(flags.use ?? ['RunScript'])],
    arguments: readArguments(flags),
    machines: readMachines(flags),
    notBefore,
    expiresAt,
  };
  const author = await openAuthorKey(await readFile(flags.key, 'utf8'), () => askPassphrase(io, flags));
  return { signature: signClaim(author, claim), claim };
};
