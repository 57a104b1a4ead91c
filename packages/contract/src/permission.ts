/**
 * The one table of who may do what. Names of the original: application roles (claim `roles` of an application's token)
 * and delegated scopes (claim `scp`); wire contract 1.13, semantics 23. People have the original's classic roles (wire
 * contract 3.5), and a delegated token opens what its scope and a role of its person both allow. `docs/permissions.md`
 * is made from this, and a test holds the server's answers against it.
 */
import { COMMAND_TYPES, type CommandType } from './commands/types.ts';

export const ROLES = [
  'Machine.LiveResponse',
  'Machine.Read.All',
  'Machine.ReadWrite.All',
  'Library.Manage',
  'Machine.Isolate',
  'Machine.Scan',
  'Machine.CollectForensics',
  'Machine.RestrictExecution',
  'Machine.StopAndQuarantine',
  'Machine.Offboard',
  'Alert.Read.All',
  'Alert.ReadWrite.All',
  'User.Read.All',
  // beyond the original
  'Machine.Approve',
] as const;
export type Role = (typeof ROLES)[number];

export const SCOPES = [
  'Machine.LiveResponse',
  'Machine.Read',
  'Machine.ReadWrite',
  'Library.Manage',
  ...ROLES,
] as const;
export type Scope = (typeof SCOPES)[number];

type Grant = { readonly roles: readonly Role[]; readonly scopes: readonly Scope[] };

const READ_ROLES = ['Machine.Read.All', 'Machine.ReadWrite.All'] as const;
const READ_SCOPES = ['Machine.Read', 'Machine.ReadWrite'] as const;
const CANCEL_ROLES = [
  'Machine.LiveResponse',
  'Machine.CollectForensics',
  'Machine.Isolate',
  'Machine.RestrictExecution',
  'Machine.Scan',
  'Machine.Offboard',
  'Machine.StopAndQuarantine',
] as const;
const LIBRARY = { roles: ['Library.Manage'], scopes: ['Library.Manage'] } as const;

/** What an endpoint may need. Any one of its roles, or any one of its scopes, is enough; both empty: any valid token. */
const GRANTS = {
  any: { roles: [], scopes: [] },
  liveResponse: { roles: ['Machine.LiveResponse'], scopes: ['Machine.LiveResponse'] },
  read: { roles: READ_ROLES, scopes: READ_SCOPES },
  write: { roles: ['Machine.ReadWrite.All'], scopes: ['Machine.ReadWrite'] },
  resultLink: {
    roles: ['Machine.LiveResponse', ...READ_ROLES],
    scopes: ['Machine.LiveResponse', ...READ_SCOPES, ...READ_ROLES],
  },
  cancel: { roles: CANCEL_ROLES, scopes: CANCEL_ROLES },
  libraryRead: LIBRARY,
  library: LIBRARY,
  users: { roles: ['User.Read.All'], scopes: ['User.Read.All'] },
  approve: { roles: ['Machine.Approve'], scopes: ['Machine.Approve'] },
} as const satisfies Record<string, Grant>;

export type PermissionName = keyof typeof GRANTS;

export const PERSON_ROLES = [
  'Data.View',
  'LiveResponse.Basic',
  'LiveResponse.Advanced',
  'SecuritySettings.Manage',
  'PortalSettings.Manage',
  // beyond the original
  'LiveResponse.Approve',
] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

type PersonRoleRow = {
  /** Its name in the original, or what it stands for. */
  readonly title: string;
  readonly allows: readonly PermissionName[];
  /** Commands that its holder may ask for. */
  readonly commands: readonly CommandType[];
};

/** What a role of a person allows; several add up. */
export const PERSON_ROLE_TABLE: Readonly<Record<PersonRole, PersonRoleRow>> = {
  'Data.View': { title: 'View data', allows: ['read', 'users'], commands: [] },
  'LiveResponse.Basic': {
    title: 'Live response – Basic',
    allows: ['read', 'liveResponse', 'resultLink', 'cancel'],
    commands: ['GetFile'],
  },
  'LiveResponse.Advanced': {
    title: 'Live response – Advanced',
    allows: ['read', 'liveResponse', 'resultLink', 'cancel', 'libraryRead'],
    commands: COMMAND_TYPES,
  },
  'SecuritySettings.Manage': {
    title: 'Manage security settings',
    allows: ['read', 'write', 'libraryRead', 'library'],
    commands: [],
  },
  'PortalSettings.Manage': { title: 'Manage portal settings', allows: [], commands: [] },
  'LiveResponse.Approve': { title: 'none: the second person', allows: ['read', 'approve'], commands: [] },
};

const rolesOfPeople = (allows: (row: PersonRoleRow) => boolean): readonly PersonRole[] =>
  PERSON_ROLES.filter((role) => allows(PERSON_ROLE_TABLE[role]));

/** What an endpoint needs: one of the roles of an application, or one of the scopes and one of the roles of its person. */
export type Permission = Grant & { readonly name: PermissionName; readonly personRoles: readonly PersonRole[] };

const permission = (name: PermissionName): Permission => ({
  name,
  ...GRANTS[name],
  personRoles: rolesOfPeople((row) => row.allows.includes(name)),
});

export const PERMISSIONS: Readonly<Record<PermissionName, Permission>> = {
  any: permission('any'),
  liveResponse: permission('liveResponse'),
  read: permission('read'),
  write: permission('write'),
  resultLink: permission('resultLink'),
  cancel: permission('cancel'),
  libraryRead: permission('libraryRead'),
  library: permission('library'),
  users: permission('users'),
  approve: permission('approve'),
};

/** What is asked of a caller: the claims of its token, as they came. */
export type Claimant = {
  readonly kind: 'application' | 'person';
  /** An application's own roles, or the roles of the person. */
  readonly roles: readonly string[];
  /** Delegated tokens only. */
  readonly scopes: readonly string[];
};

const meets = (held: readonly string[], accepted: readonly string[]): boolean =>
  held.some((name) => accepted.includes(name));

/** What stands in the way: the roles or scopes one of which would do; null when nothing does. */
export type Lack = { readonly of: 'role' | 'scope' | 'person role'; readonly expected: readonly string[] };

export const lackOf = (claimant: Claimant, { roles, scopes, personRoles }: Permission): Lack | null => {
  if (roles.length === 0 && scopes.length === 0) return null;
  if (claimant.kind === 'application') return meets(claimant.roles, roles) ? null : { of: 'role', expected: roles };
  if (!meets(claimant.scopes, scopes)) return { of: 'scope', expected: scopes };
  return meets(claimant.roles, personRoles) ? null : { of: 'person role', expected: personRoles };
};

/** Roles of people that allow a command of this type. */
export const personRolesForCommand = (type: CommandType): readonly PersonRole[] =>
  rolesOfPeople((row) => row.commands.includes(type));

/** May they ask for it: applications that may run live response may ask for every command. */
export const allowsCommand = (claimant: Claimant, type: CommandType): boolean =>
  claimant.kind === 'application' || meets(claimant.roles, personRolesForCommand(type));
