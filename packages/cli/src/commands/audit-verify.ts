import type { Command } from 'commander';
import { type AuditBreak, checkChain } from '../audit/check-chain.ts';
import { type AuditPages, auditOf, readAudit } from '../audit/read-audit.ts';
import { readCheckpoints } from '../audit/read-checkpoints.ts';
import { printJson, printLines } from '../display/print.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly store?: string; readonly checkpoint?: string; readonly head?: string };
type Kept = Parameters<typeof checkChain>[0];

const proveChain = async (pages: AuditPages, kept: Kept) => {
  const check = checkChain(kept);
  let broken: AuditBreak | null = null;
  for await (const { entries, head } of readAudit(pages)) {
    for (const entry of entries) broken ??= check.next(entry);
    if (broken === null && head !== null) broken = check.end(head);
    if (broken !== null) break;
  }
  return { broken, proven: check.proven() };
};

/** The audit of the data folder, or of the copied file. */
const throughAudit = async <Answer>(
  parts: LongarmParts,
  flags: Flags,
  use: (pages: AuditPages) => Promise<Answer>,
): Promise<Answer> => {
  if (flags.store === undefined) return throughAdmin(parts, flags, (door) => use(auditOf(door)));
  if (flags.data !== undefined) throw usageFault('Expected --data or --store, got both.');
  const file = await parts.openAuditFile(flags.store);
  try {
    return await use(file.page);
  } finally {
    await file.close();
  }
};

const keptElsewhere = async (flags: Flags): Promise<Kept> => {
  if (flags.head !== undefined && !/^[0-9a-f]{64}$/.test(flags.head))
    throw usageFault(`Expected 64 hex digits as --head, got ${flags.head}.`);
  const checkpoints = flags.checkpoint === undefined ? [] : await readCheckpoints(flags.checkpoint);
  return [...checkpoints, ...(flags.head === undefined ? [] : [{ sequence: null, hash: flags.head }])];
};

export const addAuditVerify = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('verify')
    .description('prove that no entry of the audit was changed, removed, added or moved')
    .option('--store <file>', 'a copy of a store.db instead of a data folder: it is read, and nothing else')
    .option('--checkpoint <file>', 'a copy of audit-checkpoints.jsonl that was kept elsewhere: finds a cut end, too')
    .option('--head <hash>', 'a hash that an earlier verify printed, kept elsewhere');
  adminCommand(command, [
    'longarm audit verify --data /var/lib/longarm',
    'longarm audit verify --data /var/lib/longarm --checkpoint /mnt/worm/audit-checkpoints.jsonl --json',
  ]);
  command.action(async (flags: Flags) => {
    const kept = await keptElsewhere(flags);
    const { broken, proven } = await throughAudit(parts, flags, (pages) => proveChain(pages, kept));
    if (flags.json)
      await printJson(parts.io, { intact: broken === null, entries: proven.sequence, head: proven.hash, broken });
    else if (broken === null)
      await printLines(parts.io, [`intact: ${proven.sequence} entries`, `head: ${proven.hash}`]);
    if (broken !== null)
      throw new CliFault('notSucceeded', `The audit is broken at entry ${broken.sequence}: ${broken.differs}.`);
  });
};
