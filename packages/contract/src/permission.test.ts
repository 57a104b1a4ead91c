/** What the table must say, by hand: everything else is generated from it, and would follow it into a mistake. */
import { describe, expect, test } from 'bun:test';
import { COMMAND_TYPES, type CommandType } from './commands/types.ts';
import { allowsCommand, type Claimant, lackOf, PERMISSIONS, PERSON_ROLES, type PersonRole } from './permission.ts';

const person = (role: string, ...scopes: readonly string[]): Claimant => ({ kind: 'person', roles: [role], scopes });
const EVERY_SCOPE = Object.values(PERMISSIONS).flatMap(({ scopes }) => scopes);

/** Source: wire contract 3.5, and the original's page on tags (Manage security settings). */
const ALLOWS: Readonly<Record<PersonRole, readonly string[]>> = {
  'Data.View': ['any', 'read', 'users'],
  'LiveResponse.Basic': ['any', 'liveResponse', 'read', 'resultLink', 'cancel'],
  'LiveResponse.Advanced': ['any', 'liveResponse', 'read', 'resultLink', 'cancel', 'libraryRead'],
  'SecuritySettings.Manage': ['any', 'read', 'write', 'libraryRead', 'library'],
  'PortalSettings.Manage': ['any'],
  'LiveResponse.Approve': ['any', 'read', 'approve'],
};

const COMMANDS: Readonly<Record<PersonRole, readonly CommandType[]>> = {
  'Data.View': [],
  'LiveResponse.Basic': ['GetFile'],
  'LiveResponse.Advanced': ['PutFile', 'RunScript', 'GetFile'],
  'SecuritySettings.Manage': [],
  'PortalSettings.Manage': [],
  'LiveResponse.Approve': [],
};

describe('a role of a person, with every scope there is', () => {
  for (const role of PERSON_ROLES) {
    test(role, () => {
      const held = person(role, ...EVERY_SCOPE);
      const allowed = Object.values(PERMISSIONS).filter((permission) => lackOf(held, permission) === null);
      expect(allowed.map(({ name }) => String(name)).sort()).toEqual([...ALLOWS[role]].sort());
      expect(COMMAND_TYPES.filter((type) => allowsCommand(held, type))).toEqual([...COMMANDS[role]]);
    });
  }
});

test('a delegated token needs the scope and the role, and says which is missing', () => {
  const { read } = PERMISSIONS;
  expect(lackOf(person('Data.View', 'Machine.Read'), read)).toBeNull();
  expect(lackOf(person('Data.View'), read)).toMatchObject({ of: 'scope' });
  expect(lackOf(person('Machine.Read.All', 'Machine.Read'), read)).toMatchObject({ of: 'person role' });
});

test('a role of a person opens nothing for an application, nor does a scope', () => {
  const application: Claimant = { kind: 'application', roles: ['Data.View'], scopes: ['Machine.Read'] };
  expect(lackOf(application, PERMISSIONS.read)).toMatchObject({ of: 'role' });
  expect(lackOf({ ...application, roles: ['Machine.Read.All'] }, PERMISSIONS.read)).toBeNull();
});

test('roles add up', () => {
  const both: Claimant = {
    kind: 'person',
    roles: ['Data.View', 'SecuritySettings.Manage'],
    scopes: ['Machine.ReadWrite'],
  };
  expect(lackOf(both, PERMISSIONS.write)).toBeNull();
  expect(allowsCommand({ ...both, roles: ['LiveResponse.Basic', 'LiveResponse.Advanced'] }, 'RunScript')).toBe(true);
});
