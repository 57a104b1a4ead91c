import type { AdminAnswer, AdminDoor } from '@longarm/contract/admin/operations';
import type { Command } from 'commander';
import { readCount, readHours } from '../arguments/numbers.ts';
import { printFacts, printJson, printLines } from '../display/print.ts';
import { usageFault } from '../faults/cli-fault.ts';
import { type InstallerLines, installerLines } from '../installation/installer-lines.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & {
  readonly tag?: readonly string[];
  readonly group?: string;
  readonly uses?: number;
  readonly hours?: number;
  readonly approval?: true;
  readonly installer?: boolean;
  readonly server?: string;
};

/** The address that devices use, as an origin: nothing in it needs quoting. */
const serverOrigin = (given: string | undefined, known: string | null): string => {
  const text = given ?? known;
  if (text === null)
    throw usageFault('Expected --server URL: no server runs on this folder, so its address is not known.');
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageFault(`Expected an address such as https://lr.example.org:8443 after --server, got ${text}.`);
  return url.origin;
};

type Described = AdminAnswer<'describeServer'> & { readonly origin: string };

/** Before a token is made: what is asked for wrongly leaves none behind. */
const describe = async (door: AdminDoor, flags: Flags): Promise<Described | null> => {
  if (flags.installer !== true) return null;
  const server = await door.call('describeServer', {});
  return { ...server, origin: serverOrigin(flags.server, server.url) };
};

const create = (flags: Flags) => async (door: AdminDoor) => {
  const server = await describe(door, flags);
  const request = {
    tags: [...(flags.tag ?? [])],
    ...(flags.group === undefined ? {} : { group: flags.group }),
    maxUses: flags.uses ?? null,
    validHours: flags.hours ?? null,
    ...(flags.approval === undefined ? {} : { approval: true }),
  };
  const { token, id } = await door.call('createEnrolToken', request);
  const caPem = server?.origin.startsWith('https:') === true ? server.caPem : null;
  const lines = server === null ? null : installerLines({ serverUrl: server.origin, token, caPem });
  return { id, token, lines, targets: server?.targets ?? [] };
};

const BY_HAND = [
  'The token is shown this once. On the device: write it to a file, then',
  '`longarm-agent install --server URL --token-file FILE`, or with `--state DIR` instead of `install` to try it.',
] as const;

const byLine = (lines: InstallerLines, targets: readonly string[]): readonly string[] => [
  'The token is shown this once, and is in these lines: treat them like it.',
  '',
  'Linux, macOS:',
  lines.posix,
  '',
  'Windows, in PowerShell as an administrator:',
  lines.windows,
  '',
  targets.length === 0
    ? 'The server has no executables to hand out yet: put them beside `longarm`, or name their folder with --agents DIR.'
    : `The server hands out: ${targets.join(', ')}.`,
];

export const addEnrolTokenCreate = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('create')
    .description('create an enrolment token: what makes a device one of yours')
    .option('--tag <tag...>', 'tags of the machines that enrol with it; several, or the option again')
    .option('--group <name>', 'device group of the machines that enrol with it (default: none)')
    .option('--uses <n>', 'how many devices may enrol with it (default: any number)', readCount)
    .option('--hours <n>', 'how long it is good for (default: until it is revoked)', readHours)
    .option('--approval', 'devices that enrol with it get nothing to do until `longarm machines approve`')
    .option('--installer', 'print the one line that installs the agent on a device')
    .option('--server <url>', 'with --installer: address by which devices reach the server (default: its own)');
  adminCommand(command, [
    'longarm enrol-token create --tag berlin laptops --uses 50 --hours 48 --data /var/lib/longarm',
    'longarm enrol-token create --uses 1 --hours 1 --installer --data /var/lib/longarm',
    'longarm enrol-token create --uses 1 --data ./data --json',
  ]);
  command.action(async (flags: Flags) => {
    const { token, id, lines, targets } = await throughAdmin(parts, flags, create(flags));
    if (flags.json)
      return printJson(parts.io, { token, id, ...(lines === null ? {} : { installer: { ...lines, targets } }) });
    await printFacts(parts.io, [
      ['id', id],
      ['token', token],
    ]);
    await printLines(parts.io, lines === null ? BY_HAND : byLine(lines, targets));
  });
};
