import { GRANTS, type Grant } from '@longarm/contract/application';
import { ROLES, type Role, SCOPES, type Scope } from '@longarm/contract/permission';
import { type Command, Option } from 'commander';
import { printFacts, printJson, printLines } from '../display/print.ts';
import { usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & {
  readonly role?: readonly Role[];
  readonly group?: readonly string[];
  readonly native?: true;
  readonly grant?: readonly Grant[];
  readonly scope?: readonly Scope[];
  readonly redirectUri?: readonly string[];
};

const option = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

/** What was given of it, and nothing in place of what was not. */
const detailsOf = ({ group, grant, scope, redirectUri }: Flags) => ({
  ...(group === undefined ? {} : { deviceGroups: [...group] }),
  ...(grant === undefined ? {} : { grants: [...grant] }),
  ...(scope === undefined ? {} : { scopes: [...scope] }),
  ...(redirectUri === undefined ? {} : { redirectUris: [...redirectUri] }),
});

const createNative = async (parts: LongarmParts, name: string, flags: Flags): Promise<void> => {
  const request = { name, ...detailsOf(flags) };
  const created = await throughAdmin(parts, flags, (door) => door.call('createNativeApplication', request));
  if (flags.json) return printJson(parts.io, created);
  await printFacts(parts.io, [
    ['tenant', created.tenantId],
    ['client id', created.clientId],
  ]);
};

const createConfidential = async (parts: LongarmParts, name: string, flags: Flags): Promise<void> => {
  const roles = [...(flags.role ?? [])];
  if (roles.length === 0) throw usageFault(`Expected at least one --role out of ${ROLES.join(', ')}, got none.`);
  const request = { name, roles, ...detailsOf(flags) };
  const created = await throughAdmin(parts, flags, (door) => door.call('createApplication', request));
  const { tenantId, clientId, clientSecret } = created;
  if (flags.json) return printJson(parts.io, { tenantId, clientId, clientSecret });
  await printFacts(parts.io, [
    ['tenant', tenantId],
    ['client id', clientId],
    ['client secret', clientSecret],
  ]);
  await printLines(parts.io, ['The secret is shown this once. Keep it in a file that only its user can read.']);
};

export const addAppCreate = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('create')
    .description('create an application: a client id and a secret that ask for tokens')
    .argument('<name>', 'name, shown as the requestor of its actions')
    .addOption(option('--role <role...>', 'what it may do; several, or the option again', ROLES))
    .option('--group <name...>', 'device groups that it is limited to (default: all machines)')
    .addOption(option('--grant <grant...>', 'how it may ask for tokens (default: client_credentials)', GRANTS))
    .addOption(option('--scope <scope...>', 'what tokens of people may be for (default: all that is usual)', SCOPES))
    .option('--redirect-uri <uri...>', 'where people who signed in are sent back to; http://localhost has any port')
    .addOption(new Option('--native', 'it runs on people’s devices and has no secret of its own').conflicts('role'));
  adminCommand(command, [
    'longarm app create triage-bot --role Machine.LiveResponse Machine.Read.All Library.Manage --data /var/lib/longarm',
    'longarm app create soar --role Machine.LiveResponse --data ./data --json > soar.json',
    'longarm app create berlin --role Machine.LiveResponse Machine.Read.All --group Berlin --data ./data',
    'longarm app create command-line --native --data ./data',
  ]);
  command.action((name: string, flags: Flags) =>
    flags.native ? createNative(parts, name, flags) : createConfidential(parts, name, flags),
  );
};
