/** Whether the second person is a second one. */
import type { ApplicationId } from '@longarm/contract/ids';

/** Who asked for something, by what does not change. */
export type Principal = {
  /** Of a person the same through whatever application; of an application its id. */
  readonly principal: string;
  readonly applicationId: ApplicationId;
  /** How it is called: of a person what they sign in with. */
  readonly name: string;
};

const isPerson = ({ principal, applicationId }: Principal): boolean => principal !== applicationId;

/**
 * True as well for an application and somebody who acts through it, since who runs the one may be the other, and for
 * people who sign in by the same name, however their tokens were made.
 */
export const isSamePerson = (one: Principal, other: Principal): boolean => {
  if (one.principal === other.principal) return true;
  if (isPerson(one) && isPerson(other)) return one.name.toLowerCase() === other.name.toLowerCase();
  return one.applicationId === other.applicationId;
};
