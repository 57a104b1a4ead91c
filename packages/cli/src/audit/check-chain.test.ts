import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { type AuditEntry, auditEntryText, NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import fc from 'fast-check';
import { type AuditBreak, checkChain } from './check-chain.ts';

const seal = (entry: Omit<AuditEntry, 'hash'>): AuditEntry => ({
  ...entry,
  hash: createHash('sha256').update(auditEntryText(entry)).digest('hex'),
});

const content = fc.record({
  at: fc.nat(),
  tenantId: fc.string(),
  actor: fc.string(),
  event: fc.string(),
  subject: fc.string(),
  detail: fc.string(),
});

const chains = fc.array(content, { minLength: 3, maxLength: 20 }).map((contents) => {
  const chain: AuditEntry[] = [];
  for (const each of contents)
    chain.push(seal({ ...each, sequence: chain.length + 1, previous: chain.at(-1)?.hash ?? NO_AUDIT_HASH }));
  return chain;
});

const headOf = (chain: readonly AuditEntry[]) => ({
  sequence: chain.at(-1)?.sequence ?? 0,
  hash: chain.at(-1)?.hash ?? NO_AUDIT_HASH,
});

/** The first break of a chain that ends at `head`. */
const prove = (chain: readonly AuditEntry[], head = headOf(chain), kept: Parameters<typeof checkChain>[0] = []) => {
  const check = checkChain(kept);
  let broken: AuditBreak | null = null;
  for (const entry of chain) broken ??= check.next(entry);
  return broken ?? check.end(head);
};

/** A chain and a place in it that has a neighbour on both sides. */
const places = chains.chain((chain) =>
  fc.record({ chain: fc.constant(chain), at: fc.integer({ min: 1, max: chain.length - 2 }) }),
);
const property = (holds: (chain: AuditEntry[], at: number) => void) =>
  fc.assert(fc.property(places, ({ chain, at }) => holds(chain, at)));

test('a chain that nobody touched is proven, with whatever of it was kept', () =>
  property((chain, at) => {
    const kept = [headOf(chain.slice(0, at)), { sequence: null, hash: headOf(chain).hash }];
    expect(prove(chain, headOf(chain), kept)).toBeNull();
  }));

test('each part of an entry, changed, is named at its place', () =>
  property((chain, at) => {
    for (const part of ['actor', 'event', 'subject', 'detail', 'tenantId'] as const) {
      const forged = chain.map((entry, place) => (place === at ? { ...entry, [part]: `${entry[part]}x` } : entry));
      expect(prove(forged)).toEqual({ sequence: at + 1, differs: expect.stringContaining('was changed') });
    }
    const forged = chain.map((entry, place) => (place === at ? { ...entry, at: entry.at + 1 } : entry));
    expect(prove(forged)?.sequence).toBe(at + 1);
  }));

test('an entry that was changed and sealed anew breaks the one after it', () =>
  property((chain, at) => {
    const forged = chain.map((entry, place) => (place === at ? seal({ ...entry, actor: `${entry.actor}x` }) : entry));
    expect(prove(forged)).toEqual({ sequence: at + 2, differs: expect.stringContaining('does not follow') });
  }));

test('entries that were removed, swapped or added are named at the first place', () =>
  property((chain, at) => {
    const moved = { sequence: at + 1, differs: expect.stringContaining('removed, added or moved') };
    expect(prove(chain.toSpliced(at, 1))).toEqual(moved);
    const [one, two] = [chain[at], chain[at + 1]];
    if (one === undefined || two === undefined) throw new Error('the place has neighbours');
    expect(prove(chain.toSpliced(at, 2, two, one))).toEqual(moved);
    expect(prove(chain.toSpliced(at, 0, one))?.sequence).toBe(at + 2);
    // numbered anew, so that there is no gap
    const renumbered = chain.toSpliced(at, 1).map((entry, place) => ({ ...entry, sequence: place + 1 }));
    expect(prove(renumbered)?.sequence).toBe(at + 1);
  }));

test('an end that was cut off is seen by the head, and with a new head by what was kept elsewhere', () =>
  property((chain, at) => {
    const cut = chain.slice(0, at);
    const end = { sequence: at + 1, differs: expect.stringContaining('ends here') };
    expect(prove(cut, headOf(chain))).toEqual(end);
    expect(prove(cut)).toBeNull();
    expect(prove(cut, headOf(cut), [headOf(chain)])).toEqual(end);
    expect(prove(cut, headOf(cut), [{ sequence: null, hash: headOf(chain).hash }])?.differs).toContain('no entry');
  }));

test('a chain that was written anew from a place on is seen by what was kept elsewhere', () =>
  property((chain, at) => {
    const forged: AuditEntry[] = [];
    for (const [place, entry] of chain.entries())
      forged.push(
        seal({
          ...entry,
          actor: place === at ? `${entry.actor}x` : entry.actor,
          previous: forged.at(-1)?.hash ?? NO_AUDIT_HASH,
        }),
      );
    expect(prove(forged)).toBeNull();
    expect(prove(forged, headOf(forged), [headOf(chain)])).toEqual({
      sequence: chain.length,
      differs: expect.stringContaining('kept elsewhere'),
    });
  }));
