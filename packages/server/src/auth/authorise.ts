/** May they: the table decides, this says so. Throws Forbidden naming what would do. */
import { Refusal } from '@longarm/contract/errors';
import { type Lack, lackOf, type Permission } from '@longarm/contract/permission';
import type { Caller } from '../audit/ports.ts';

const sentenceOf = (caller: Caller, lack: Lack): string => {
  const expected = lack.expected.join(', ');
  if (lack.of === 'person role')
    return `The token's scope allows it, but ${caller.name} does not have a role that does: expected one of ${expected}.`;
  return `The token lacks the permission: expected one of the ${lack.of}s ${expected}.`;
};

export const authorise = (caller: Caller, permission: Permission): void => {
  const lack = lackOf(caller, permission);
  if (lack !== null) throw new Refusal('Forbidden', sentenceOf(caller, lack));
};
