import type { AuditEntry } from '@longarm/contract/audit/audit-entry';
import { formatInstant } from '@longarm/contract/instant';
import type { Command } from 'commander';
import { readCount } from '../arguments/numbers.ts';
import { entryOrigin } from '../audit/entry-origin.ts';
import { auditOf, readAudit } from '../audit/read-audit.ts';
import { printJson, printTable } from '../display/print.ts';
import { formatMoment } from '../display/quantities.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly top: number };

const rowOf = (entry: AuditEntry) => [
  { text: String(entry.sequence) },
  { text: formatMoment(formatInstant(entry.at)) },
  { text: entry.actor },
  { text: entry.event },
  { text: entry.subject },
  { text: entryOrigin(entry).address ?? '' },
  { text: entry.detail },
];

export const addAuditList = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('list')
    .description('show the newest entries of the audit, oldest first')
    .option('--top <number>', 'how many', readCount, 50);
  adminCommand(command, ['longarm audit list --data /var/lib/longarm --top 20']);
  command.action(async (flags: Flags) => {
    const newest = await throughAdmin(parts, flags, async (door) => {
      let kept: AuditEntry[] = [];
      const { head } = await door.call('readAudit', { after: Number.MAX_SAFE_INTEGER });
      for await (const { entries } of readAudit(auditOf(door), Math.max(0, head.sequence - flags.top)))
        kept = [...kept, ...entries].slice(-flags.top);
      return kept;
    });
    if (flags.json) return printJson(parts.io, newest);
    const columns = ['SEQUENCE', 'TIME', 'WHO', 'EVENT', 'TO WHAT', 'FROM', 'DETAIL'].map((title) => ({
      title,
      keep: title === 'SEQUENCE' || title === 'TIME' || title === 'EVENT',
    }));
    await printTable(parts.io, { columns, rows: newest.map(rowOf) }, 'The audit is empty.');
  });
};
