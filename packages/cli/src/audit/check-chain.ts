/** Proves a chain of audit entries one by one, and names the first that does not fit. Keeps one hash, no entries. */
import { createHash } from 'node:crypto';
import { type AuditEntry, type AuditHead, auditEntryText, NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import { checkpointFault } from './signed-checkpoint.ts';

/** The first place at which the chain does not hold, and what differs there. */
export type AuditBreak = { readonly sequence: number; readonly differs: string };

export type ChainCheck = {
  /** Null while everything fits. */
  readonly next: (entry: AuditEntry) => AuditBreak | null;
  /** After the last entry: the end is where the head says, and everything kept elsewhere was met. */
  readonly end: (head: AuditHead) => AuditBreak | null;
  readonly proven: () => AuditHead;
};

const hashOf = (entry: AuditEntry): string => createHash('sha256').update(auditEntryText(entry), 'utf8').digest('hex');

/** `kept`: heads that the administrator kept elsewhere; with a hash alone the sequence is null. */
export const checkChain = (
  kept: readonly { readonly sequence: number | null; readonly hash: string }[] = [],
): ChainCheck => {
  let sequence = 0;
  let hash = NO_AUDIT_HASH;
  const bySequence = new Map(kept.flatMap((head) => (head.sequence === null ? [] : [[head.sequence, head.hash]])));
  const anywhere = new Set(kept.flatMap((head) => (head.sequence === null ? [head.hash] : [])));

  const fault = (entry: AuditEntry): string | null => {
    if (entry.sequence !== sequence + 1)
      return `expected entry ${sequence + 1}, got ${entry.sequence}: entries were removed, added or moved`;
    if (entry.previous !== hash) return `it does not follow on entry ${sequence}: one of the two was replaced`;
    if (hashOf(entry) !== entry.hash) return 'its content is not what its hash is of: it was changed';
    const expected = bySequence.get(entry.sequence);
    return expected === undefined || expected === entry.hash
      ? checkpointFault(entry)
      : 'its hash is not the one that was kept elsewhere: the chain was written anew up to here';
  };

  return {
    next: (entry) => {
      const differs = fault(entry);
      if (differs !== null) return { sequence: sequence + 1, differs };
      sequence = entry.sequence;
      hash = entry.hash;
      bySequence.delete(sequence);
      anywhere.delete(hash);
      return null;
    },
    end: (head) => {
      const first = sequence + 1;
      if (head.sequence !== sequence || head.hash !== hash)
        return { sequence: first, differs: `the audit ends here, but its head is entry ${head.sequence}` };
      const [missing] = [...bySequence.keys()].sort((a, b) => a - b);
      if (missing !== undefined)
        return {
          sequence: first,
          differs: `the audit ends here, but entry ${missing} was kept elsewhere: it was cut off`,
        };
      if (anywhere.size > 0) return { sequence: first, differs: 'no entry has the hash that was kept elsewhere' };
      return null;
    },
    proven: () => ({ sequence, hash }),
  };
};
