/** May they: any one of the endpoint's roles or scopes is enough. Throws Forbidden naming what would do. */
import { Refusal } from '@longarm/contract/errors';
import type { Permission } from '@longarm/contract/permission';
import type { Caller } from '../audit/ports.ts';

export const authorise = (caller: Caller, permission: Permission): void => {
  if (permission.roles.length === 0 && permission.scopes.length === 0) return;
  const roles: readonly string[] = permission.roles;
  const scopes: readonly string[] = permission.scopes;
  if (caller.roles.some((role) => roles.includes(role)) || caller.scopes.some((scope) => scopes.includes(scope)))
    return;
  throw new Refusal(
    'Forbidden',
    `The token lacks the permission: expected one of the roles ${roles.join(', ')}, or one of the scopes ${scopes.join(', ')}.`,
  );
};
