/** `longarm issuer …`: single sign-on by the tokens of somebody else. */
import { PERSON_ROLES, ROLES } from '@longarm/contract/permission';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { printJson, printLines, printTable } from '../display/print.ts';
import { CliFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type AddCommand = (parent: Command, parts: LongarmParts) => void;
type RoleName = (typeof ROLES)[number] | (typeof PERSON_ROLES)[number];
type AddFlags = AdminFlags & {
  readonly audience: readonly string[];
  readonly discovery?: string;
  readonly tid?: string;
  readonly roleClaim: string;
  readonly groupClaim: string;
  readonly mapRole: Readonly<Record<string, RoleName>>;
  readonly mapGroup: Readonly<Record<string, string>>;
};

const pairOf = (text: string): readonly [string, string] => {
  const at = text.lastIndexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('Expected value=name.');
  return [text.slice(0, at), text.slice(at + 1)];
};

const readGroup = (text: string, known: Readonly<Record<string, string>>) => {
  const [value, group] = pairOf(text);
  return { ...known, [value]: group };
};

const readRole = (text: string, known: Readonly<Record<string, RoleName>>) => {
  const [value, name] = pairOf(text);
  const role = [...PERSON_ROLES, ...ROLES].find((one) => one === name);
  if (role === undefined) throw new InvalidArgumentError(`Expected one of ${[...PERSON_ROLES, ...ROLES].join(', ')}.`);
  return { ...known, [value]: role };
};

const addAdd: AddCommand = (parent, parts) => {
  const command = parent
    .command('add')
    .description('let the tokens of an issuer in')
    .argument('<url>', 'the issuer, exactly as the claim iss of its tokens has it')
    .requiredOption('--audience <aud...>', 'what aud of its tokens has to be; one of several')
    .option('--discovery <url>', 'where its document is, when not at URL/.well-known/openid-configuration')
    .option('--tid <id>', 'what tid of its tokens has to be')
    .option('--role-claim <path>', 'where roles are, as realm_access.roles', 'roles')
    .option('--group-claim <path>', 'where groups are', 'groups')
    .addOption(
      new Option('--map-role <value=Role>', 'what a value means here; again for another')
        .argParser(readRole)
        .default({}),
    )
    .addOption(
      new Option('--map-group <value=Group>', 'which device group; with one, nobody reaches others')
        .argParser(readGroup)
        .default({}),
    );
  adminCommand(command, [
    'longarm issuer add https://login.microsoftonline.com/TENANT/v2.0 --audience api://longarm --data /var/lib/longarm',
    'longarm issuer add https://sso.example/realms/soc --audience longarm --role-claim realm_access.roles --map-role soc-lead=LiveResponse.Advanced --data ./data',
  ]);
  command.action(async (url: string, flags: AddFlags) => {
    const request = {
      url,
      discoveryUrl: flags.discovery ?? null,
      audiences: [...flags.audience],
      tid: flags.tid ?? null,
      roleClaim: flags.roleClaim,
      groupClaim: flags.groupClaim,
      roleMap: { ...flags.mapRole },
      groupMap: { ...flags.mapGroup },
    };
    const added = await throughAdmin(parts, flags, (door) => door.call('addIssuer', request));
    if (flags.json) return printJson(parts.io, added);
    await printLines(parts.io, ['Added. Its keys are fetched with the first token of it.']);
  });
};

const addList: AddCommand = (parent, parts) => {
  const command = parent.command('list').description('list issuers');
  adminCommand(command, ['longarm issuer list --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const { issuers } = await throughAdmin(parts, flags, (door) => door.call('listIssuers', {}));
    if (flags.json) return printJson(parts.io, issuers);
    const rows = issuers.map(({ url, audiences, tid }) =>
      [url, audiences.join(' '), tid ?? 'any'].map((text) => ({ text })),
    );
    const columns = ['ISSUER', 'AUDIENCES', 'TENANT'].map((title) => ({ title }));
    await printTable(parts.io, { columns, rows }, 'There are no other issuers.');
  });
};

const addRemove: AddCommand = (parent, parts) => {
  const command = parent
    .command('remove')
    .description('let its tokens in no more, those that it issued included')
    .argument('<url>', 'the issuer, as the list shows it');
  adminCommand(command, ['longarm issuer remove https://sso.example/realms/soc --data /var/lib/longarm']);
  command.action(async (url: string, flags: AdminFlags) => {
    const { removed } = await throughAdmin(parts, flags, (door) => door.call('removeIssuer', { url }));
    if (!removed) throw new CliFault('refused', 'There is no such issuer.', 'See `longarm issuer list`.');
    if (flags.json) return printJson(parts.io, { removed });
    await printLines(parts.io, ['Removed.']);
  });
};

export const ISSUER_COMMANDS: readonly AddCommand[] = [addAdd, addList, addRemove];
