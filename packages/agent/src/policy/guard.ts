/** The one choke point: nothing starts on this device before the guard has admitted it. */
import type { ActionId } from '@longarm/contract/ids';
import type { EnvelopeCommand } from '@longarm/contract/wire/envelope';
import { faultText } from '../platform/fault.ts';
import type { Bearings } from './author-rule.ts';
import { normalizePath, type PathForm } from './glob.ts';
import { judgeCommand, type Refused } from './judge-command.ts';
import type { Policy } from './policy.ts';
import type { PolicySource } from './policy-source.ts';
import type { LocalTime } from './quiet-hours.ts';

/** What an admitted command may do, under the policy as it was when it was admitted. */
export type Ruling = {
  /** Why the file that really lies here may not be collected, in a sentence, or null. */
  readonly pathFault: (realPath: string) => string | null;
  /** Most bytes that may be collected now, and the rule that says so; infinite where none does. */
  readonly maxGet: { readonly bytes: number; readonly rule: string };
};

export type Admission = { readonly ruling: Ruling } | { readonly refusal: string };

export type Guard = {
  readonly admit: (asked: { readonly actionId: ActionId; readonly ordered: EnvelopeCommand }) => Admission;
  /** So many bytes of a file left this device for the action. */
  readonly noteCollected: (actionId: ActionId, bytes: number) => void;
  /** Why no script may start, in a sentence, or null: asked again by what starts processes. */
  readonly spawnFault: () => string | null;
};

export type GuardIo = {
  readonly source: Pick<PolicySource, 'read'>;
  readonly form: PathForm;
  readonly bearings: () => Bearings;
  readonly localTime: () => LocalTime;
};

const sentence = ({ rule, why }: Refused): string => `refused by this device's policy, rule ${rule}: ${why}`;

const pathFault = (policy: Policy, form: PathForm, path: string): Refused | null => {
  const denied = policy.getDeny.find(({ matches }) => matches(path));
  if (denied !== undefined) return { rule: 'getFile.deny', why: `${path} fits ${denied.pattern}` };
  if (policy.getAllow !== null && !policy.getAllow.some(({ matches }) => matches(path)))
    return { rule: 'getFile.allow', why: `${path} fits none of its patterns` };
  const hasRules = policy.getAllow !== null || policy.getDeny.length > 0;
  // another name of a file that rules speak of (NTFS streams)
  return hasRules && form.isWindows && normalizePath(path, form).indexOf(':', 2) >= 0
    ? { rule: 'getFile', why: `${path} names a stream` }
    : null;
};

/** Actions run one at a time, so the one that collects now is all that has to be remembered. */
const tally = () => {
  let current: { readonly actionId: ActionId; readonly bytes: number } | null = null;
  const of = (actionId: ActionId): number => (current?.actionId === actionId ? current.bytes : 0);
  return {
    of,
    add: (actionId: ActionId, bytes: number): void => {
      current = { actionId, bytes: of(actionId) + bytes };
    },
  };
};

export const guard = (io: GuardIo): Guard => {
  const collected = tally();
  const rulingFor = (policy: Policy, actionId: ActionId): Ruling => {
    const left = Math.max(0, policy.maxActionBytes - collected.of(actionId));
    return {
      pathFault: (path) => {
        const refused = pathFault(policy, io.form, path);
        return refused === null ? null : sentence(refused);
      },
      maxGet:
        left < policy.maxFileBytes
          ? { bytes: left, rule: 'getFile.maxActionBytes' }
          : { bytes: policy.maxFileBytes, rule: 'getFile.maxFileBytes' },
    };
  };
  return {
    admit: ({ actionId, ordered }) => {
      try {
        const policy = io.source.read();
        const order = { policy, ordered, bearings: io.bearings(), localTime: io.localTime() };
        const refused = judgeCommand(order);
        return refused === null ? { ruling: rulingFor(policy, actionId) } : { refusal: sentence(refused) };
      } catch (fault) {
        return { refusal: faultText(fault) };
      }
    },
    noteCollected: collected.add,
    spawnFault: () => {
      try {
        return io.source.read().scripts === 'off' ? sentence({ rule: 'scripts', why: 'it is off' }) : null;
      } catch (fault) {
        return faultText(fault);
      }
    },
  };
};
