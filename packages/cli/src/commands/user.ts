/** `longarm user …`: people who sign in here by themselves, as long as no other issuer knows them. */
import type { AdminAnswer } from '@longarm/contract/admin/operations';
import {
  type PersonSummary,
  SECOND_FACTOR_RULES,
  type SecondFactorRule,
} from '@longarm/contract/admin/person-operations';
import { PERSON_ROLES, type PersonRole } from '@longarm/contract/permission';
import { type Command, Option } from 'commander';
import { printFacts, printJson, printLines, printTable } from '../display/print.ts';
import { formatAge, formatMoment } from '../display/quantities.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type AddCommand = (parent: Command, parts: LongarmParts) => void;

const NAME = ['<name>', 'how they are called, as anna@example.org'] as const;
const roleOption = (): Option =>
  new Option('--role <role...>', 'what they may do; several, or the option again').choices(PERSON_ROLES);
const groupArguments = ['--group <name...>', 'device groups that they are limited to'] as const;

const ruleOption = (): Option =>
  new Option(
    '--second-factor <rule>',
    'required: nobody in without one; optional: unless the server requires it of everybody',
  ).choices(SECOND_FACTOR_RULES);

const printSetUp = async (parts: LongarmParts, flags: AdminFlags, answer: AdminAnswer<'createPerson'>) => {
  if (flags.json) return printJson(parts.io, answer);
  const way = answer.url ?? `<the server's address>/sign-in/set-up?secret=${answer.secret}`;
  await printFacts(parts.io, [
    ['name', answer.name],
    ['link', way],
    ['good until', formatMoment(answer.expiresDateTimeUtc)],
  ]);
  await printLines(parts.io, ['The link is shown this once, and is good once: whoever opens it chooses the password.']);
};

type CreateFlags = AdminFlags & {
  readonly role?: readonly PersonRole[];
  readonly group?: readonly string[];
  readonly displayName?: string;
  readonly secondFactor?: SecondFactorRule;
};

const addCreate: AddCommand = (parent, parts) => {
  const command = parent
    .command('create')
    .description('create a person: prints a link by which they choose a password')
    .argument(...NAME)
    .addOption(roleOption())
    .option(groupArguments[0], `${groupArguments[1]} (default: all machines)`)
    .option('--display-name <text>', 'their full name')
    .addOption(ruleOption());
  adminCommand(command, ['longarm user create anna@example.org --role LiveResponse.Advanced --data /var/lib/longarm']);
  command.action(async (name: string, flags: CreateFlags) => {
    const roles = [...(flags.role ?? [])];
    if (roles.length === 0)
      throw usageFault(`Expected at least one --role out of ${PERSON_ROLES.join(', ')}, got none.`);
    const deviceGroups = flags.group === undefined ? ('all' as const) : [...flags.group];
    const named = flags.displayName === undefined ? {} : { displayName: flags.displayName };
    const rule = flags.secondFactor === undefined ? {} : { secondFactor: flags.secondFactor };
    const request = { name, roles, deviceGroups, ...named, ...rule };
    await printSetUp(parts, flags, await throughAdmin(parts, flags, (door) => door.call('createPerson', request)));
  });
};

const factorText = ({ hasAuthenticatorApp, securityKeys, secondFactor }: PersonSummary): string => {
  const keys = securityKeys === 1 ? '1 key' : `${securityKeys} keys`;
  const factors = [...(hasAuthenticatorApp ? ['app'] : []), ...(securityKeys > 0 ? [keys] : [])];
  const text = factors.length === 0 ? 'none' : factors.join(', ');
  return secondFactor === 'required' ? `${text} (required)` : text;
};

const addList: AddCommand = (parent, parts) => {
  const command = parent.command('list').description('list people');
  adminCommand(command, ['longarm user list --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const { people } = await throughAdmin(parts, flags, (door) => door.call('listPeople', {}));
    if (flags.json) return printJson(parts.io, people);
    const titles = ['NAME', 'STATE', 'ROLES', 'DEVICE GROUPS', 'SECOND FACTOR', 'LAST SIGN-IN'];
    const stateOf = ({ disabled, hasPassword }: (typeof people)[number]) =>
      disabled ? 'disabled' : hasPassword ? 'good' : 'no password yet';
    const rows = people.map((person) =>
      [
        person.name,
        stateOf(person),
        person.roles.join(' '),
        person.deviceGroups === 'all' ? 'all' : person.deviceGroups.join(', '),
        factorText(person),
        person.lastSignInDateTimeUtc === null ? 'never' : formatAge(person.lastSignInDateTimeUtc, parts.io.world.now()),
      ].map((text) => ({ text })),
    );
    const table = { columns: titles.map((title) => ({ title })), rows };
    await printTable(parts.io, table, 'There is nobody. Create somebody: `longarm user create`.');
  });
};

type ChangeFlags = AdminFlags & {
  readonly role?: readonly PersonRole[];
  readonly group?: readonly string[];
  readonly allGroups?: true;
  readonly disable?: true;
  readonly enable?: true;
  readonly secondFactor?: SecondFactorRule;
  readonly resetSecondFactor?: true;
};

const settingsOf = (flags: ChangeFlags) => ({
  ...(flags.role === undefined ? {} : { roles: [...flags.role] }),
  ...(flags.group === undefined ? {} : { deviceGroups: [...flags.group] }),
  ...(flags.allGroups ? { deviceGroups: 'all' as const } : {}),
  ...(flags.disable || flags.enable ? { disabled: flags.disable === true } : {}),
  ...(flags.secondFactor === undefined ? {} : { secondFactor: flags.secondFactor }),
  ...(flags.resetSecondFactor ? { resetSecondFactor: true as const } : {}),
});

const addChange: AddCommand = (parent, parts) => {
  const command = parent
    .command('change')
    .description('change roles, device groups or second factor, or disable; it goes for tokens that they have, too')
    .argument(...NAME)
    .addOption(roleOption())
    .option(...groupArguments)
    .addOption(new Option('--all-groups', 'no limit to device groups').conflicts('group'))
    .option('--disable', 'let them in no more')
    .addOption(new Option('--enable', 'let them in again').conflicts('disable'))
    .addOption(ruleOption())
    .option(
      '--reset-second-factor',
      'a lost device: forget app, security keys and recovery codes, and end sessions; the password stays',
    );
  adminCommand(command, [
    'longarm user change anna@example.org --disable --data /var/lib/longarm',
    'longarm user change anna@example.org --reset-second-factor --data /var/lib/longarm',
  ]);
  command.action(async (name: string, flags: ChangeFlags) => {
    const request = { name, ...settingsOf(flags) };
    const answer = await throughAdmin(parts, flags, (door) => door.call('changePerson', request));
    if (flags.json) return printJson(parts.io, answer);
    await printLines(parts.io, [answer.changed ? 'Changed.' : 'Nothing was to be changed.']);
  });
};

const addReset: AddCommand = (parent, parts) => {
  const command = parent
    .command('reset')
    .description('forget password and second factor, end what was issued, and print a new link')
    .argument(...NAME);
  adminCommand(command, ['longarm user reset anna@example.org --data /var/lib/longarm']);
  command.action(async (name: string, flags: AdminFlags) =>
    printSetUp(parts, flags, await throughAdmin(parts, flags, (door) => door.call('resetPerson', { name }))),
  );
};

const addDelete: AddCommand = (parent, parts) => {
  const command = parent
    .command('delete')
    .description('delete a person')
    .argument(...NAME);
  adminCommand(command, ['longarm user delete anna@example.org --data /var/lib/longarm']);
  command.action(async (name: string, flags: AdminFlags) => {
    const { deleted } = await throughAdmin(parts, flags, (door) => door.call('deletePerson', { name }));
    if (!deleted) throw new CliFault('refused', 'There is nobody of that name.', 'See `longarm user list`.');
    if (flags.json) return printJson(parts.io, { deleted });
    await printLines(parts.io, ['Deleted.']);
  });
};

export const USER_COMMANDS: readonly AddCommand[] = [addCreate, addList, addChange, addReset, addDelete];
