/** Where a device's policy lies, read anew each time it is asked for, and closed to everybody who may not change it. */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { faultText } from '../platform/fault.ts';
import { othersFault } from './only-ours.ts';
import { NO_POLICY, type Policy, PolicyFault, type PolicyTerms, readPolicyText } from './policy.ts';

/** A policy is a page of text; more than this is something else. */
const POLICY_BYTES = 262_144;

export type PolicyPlace = {
  /** `--policy`: there has to be a file. Null: the first start finds one of the usual places, or none. */
  readonly file: string | null;
  readonly usual: readonly string[];
  /** What has to be out of everybody else's reach too where a policy is obeyed: verified scripts lie in it. */
  readonly stateFolder: string;
};

export type PolicySource = {
  /** The policy's path as found, or null where there is none. Throws as `read` does. */
  readonly find: () => string | null;
  /** Throws PolicyFault, with a sentence that names the file, when it cannot be read or trusted. */
  readonly read: () => Policy;
};

const readClosed = (path: string): string => {
  const fault = othersFault(path);
  if (fault !== null) throw new PolicyFault(fault);
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new PolicyFault('expected a regular file, got something else');
    if (stats.size > POLICY_BYTES) throw new PolicyFault(`expected at most ${POLICY_BYTES} bytes, got ${stats.size}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
};

const named = (path: string, fault: unknown): PolicyFault =>
  new PolicyFault(
    `${path}: this device's policy cannot be obeyed: ${faultText(fault)}. Nothing runs here until it can: mend the file.`,
  );

export const policySource = (place: PolicyPlace, terms: PolicyTerms): PolicySource => {
  // one that was there and is gone was taken away: a policy never ends by vanishing
  let seen: string | null = place.file;
  const find = (): string | null => {
    if (seen !== null) return seen;
    const found = place.usual.filter((path) => existsSync(path));
    if (found.length > 1)
      throw new PolicyFault(`expected one policy, got ${found.join(' and ')}. Remove one, or choose it with --policy.`);
    seen = found[0] ?? null;
    return seen;
  };
  const read = (): Policy => {
    const path = find();
    if (path === null) {
      if (terms.requireSignatures)
        throw new PolicyFault(
          `--require-signatures: expected a policy that lists authors, in ${place.usual.join(' or ')} or by --policy, got none.`,
        );
      return NO_POLICY;
    }
    try {
      const policy = readPolicyText(readClosed(path), terms);
      const fault = othersFault(place.stateFolder);
      if (fault !== null) throw new PolicyFault(fault);
      return policy;
    } catch (fault) {
      throw named(path, fault);
    }
  };
  return { find, read };
};
