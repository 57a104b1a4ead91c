// docs/permissions.md: the table of permissions as a page.
import { COMMAND_TYPES } from '@longarm/contract/commands/types';
import {
  PERSON_ROLE_TABLE,
  PERSON_ROLES,
  type Permission,
  type PersonRole,
  personRolesForCommand,
} from '@longarm/contract/permission';
import type { Endpoint, Subject } from '@longarm/contract/rest/endpoint';
import { ENDPOINT_NAMES, ENDPOINTS } from '@longarm/contract/rest/index';

const REACH: Readonly<Record<Subject, string>> = {
  machine: 'the machine',
  machines: 'every machine of the answer',
  action: "the action's machine",
  actions: 'the machine of every action of the answer',
  library: 'no: the library is the whole tenant’s',
  nothing: 'no',
};

const names = (list: readonly string[], none: string): string =>
  list.length === 0 ? none : list.map((name) => `\`${name}\``).join(', ');

const isForAll = ({ roles, scopes }: Permission): boolean => roles.length + scopes.length === 0;

const endpointRow = ({ method, path, permission, subject }: Endpoint): string => {
  const [anyToken, roles] = isForAll(permission) ? ['any token', 'any'] : ['none', 'none'];
  const cells = [
    `\`${method} ${path}\``,
    names(permission.roles, anyToken),
    names(permission.scopes, anyToken),
    names(permission.personRoles, roles),
    REACH[subject],
  ];
  return `| ${cells.join(' | ')} |`;
};

const commandCells = (role: PersonRole): string =>
  COMMAND_TYPES.map((type) => (personRolesForCommand(type).includes(role) ? 'yes' : '–')).join(' | ');

const endpointsOf = (role: PersonRole): string =>
  names(
    ENDPOINT_NAMES.filter((name) => ENDPOINTS[name].permission.personRoles.includes(role)),
    'none',
  );

export const permissionReference = (): string => `# Who may do what

Made from \`packages/contract/src/permission.ts\` and the table of endpoints by \`scripts/generate.ts\`;
\`packages/server/test/permission-matrix.test.ts\` holds the server's answers against the same tables, for every endpoint
with every role, scope and role of a person, in every place. How to use it: [operating/permissions.md](operating/permissions.md).

An application's own token needs one of the roles. A delegated token needs one of the scopes, **and** its person one of
the roles of people. What neither allows is 403 \`Forbidden\`, naming what would do.

| call | role of an application | scope of a delegated token | and role of the person | reach is judged by |
|---|---|---|---|---|
${ENDPOINT_NAMES.map((name) => endpointRow(ENDPOINTS[name])).join('\n')}

## Roles of people

| role | in the original | ${COMMAND_TYPES.join(' | ')} | calls |
|---|---|${COMMAND_TYPES.map(() => '---|').join('')}---|
${PERSON_ROLES.map((role) => `| \`${role}\` | ${PERSON_ROLE_TABLE[role].title} | ${commandCells(role)} | ${endpointsOf(role)} |`).join('\n')}

Several roles add up. A command that no role of the person allows is 403 \`Forbidden\`, naming the command. Applications
with \`Machine.LiveResponse\` may ask for every command.

## Reach

| the machine is in | caller limited to that group | caller limited to other groups | caller with all groups | caller of another tenant |
|---|---|---|---|---|
| a group | found | as if it did not exist | found | as if it did not exist |
| no group | – | as if it did not exist | found | as if it did not exist |

What is out of reach is missing in lists and counts, and 404 \`ResourceNotFound\` by its id, word for word as an id that
nobody has. A person reaches what both the person and the application are limited to.
`;
