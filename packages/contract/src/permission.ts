/**
 * Permission names of the original: application roles (claim `roles`) and delegated scopes (claim `scp`).
 * Source: wire contract 1.13, semantics 23.
 */
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

/** Any one of the roles, or any one of the scopes, is enough. Both empty: any valid token. */
export type Permission = { readonly roles: readonly Role[]; readonly scopes: readonly Scope[] };

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

export const PERMISSIONS = {
  any: { roles: [], scopes: [] },
  liveResponse: { roles: ['Machine.LiveResponse'], scopes: ['Machine.LiveResponse'] },
  read: { roles: READ_ROLES, scopes: READ_SCOPES },
  write: { roles: ['Machine.ReadWrite.All'], scopes: ['Machine.ReadWrite'] },
  resultLink: {
    roles: ['Machine.LiveResponse', ...READ_ROLES],
    scopes: ['Machine.LiveResponse', ...READ_SCOPES, ...READ_ROLES],
  },
  cancel: { roles: CANCEL_ROLES, scopes: CANCEL_ROLES },
  library: { roles: ['Library.Manage'], scopes: ['Library.Manage'] },
} as const satisfies Record<string, Permission>;
