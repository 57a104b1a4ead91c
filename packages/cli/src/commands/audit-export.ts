import { type Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportFormat, exportLine } from '../audit/export-line.ts';
import { auditOf, readAudit } from '../audit/read-audit.ts';
import { printLines } from '../display/print.ts';
import { usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly from?: string; readonly to?: string; readonly format: ExportFormat };

const momentOf = (name: string, text: string | undefined, otherwise: number): number => {
  const at = text === undefined ? otherwise : Date.parse(text);
  if (Number.isNaN(at)) throw usageFault(`Expected a moment as 2026-02-04T11:00:00Z as ${name}, got ${text}.`);
  return at;
};

export const addAuditExport = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('export')
    .description('print the audit, one entry a line')
    .option('--from <moment>', 'entries from then on, as 2026-02-04T11:00:00Z')
    .option('--to <moment>', 'entries before then')
    .addOption(new Option('--format <format>', 'form of a line').choices(EXPORT_FORMATS).default('jsonl'));
  adminCommand(command, ['longarm audit export --data /var/lib/longarm --from 2026-02-01 > audit.jsonl']);
  command.action(async (flags: Flags) => {
    const from = momentOf('--from', flags.from, Number.NEGATIVE_INFINITY);
    const to = momentOf('--to', flags.to, Number.POSITIVE_INFINITY);
    await throughAdmin(parts, flags, async (door) => {
      for await (const { entries } of readAudit(auditOf(door))) {
        const wanted = entries.filter(({ at }) => at >= from && at < to);
        await printLines(
          parts.io,
          wanted.map((entry) => exportLine(flags.format, entry)),
        );
      }
    });
  });
};
