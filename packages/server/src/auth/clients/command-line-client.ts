/** Which application people sign in by from the command line, so that they need not know its id. */
import { COMMAND_LINE_NAME } from '@longarm/contract/application';
import type { ApplicationId } from '@longarm/contract/ids';
import type { ApplicationRecord } from '../ports.ts';

/** The only native one that may use device codes, or of several the one with the name; null where that says nothing. */
export const commandLineClient = (applications: readonly ApplicationRecord[]): ApplicationId | null => {
  const possible = applications.filter(({ isNative, grants }) => isNative && grants.includes('device_code'));
  const named = possible.filter(({ name }) => name === COMMAND_LINE_NAME);
  const [first, ...others] = named.length > 0 ? named : possible;
  return first === undefined || others.length > 0 ? null : first.id;
};
