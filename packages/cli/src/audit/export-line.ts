/** Forms in which the audit leaves the server: JSON lines, and syslog lines (RFC 5424). */
import type { AuditEntry } from '@longarm/contract/audit/audit-entry';
import { visibleJson } from '../display/visible.ts';
import { entryOrigin } from './entry-origin.ts';

export const EXPORT_FORMATS = ['jsonl', 'syslog'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Facility 13 (log audit), severity 5 (notice): RFC 5424 6.2.1. */
const PRIORITY = 13 * 8 + 5;

/** As RFC 5424 6.3.3 escapes a value; line breaks as well, since a line is an entry, and what turns or hides text. */
const value = (text: string): string =>
  text.replace(/["\\\]]/g, '\\$&').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

const syslogLine = (entry: AuditEntry): string => {
  const { sequence, actor, event, subject, hash, previous } = entry;
  const { address, requestId } = entryOrigin(entry);
  const from = { ...(address === null ? {} : { address }), ...(requestId === null ? {} : { request: requestId }) };
  const pairs = Object.entries({ sequence: String(sequence), actor, event, subject, ...from, previous, hash });
  const data = pairs.map(([name, text]) => `${name}="${value(text)}"`).join(' ');
  // 32473 is the number for examples (RFC 5612): Longarm has none of its own
  return `<${PRIORITY}>1 ${new Date(entry.at).toISOString()} - longarm - audit [longarm@32473 ${data}] ${value(entry.detail)}`;
};

const LINES: Readonly<Record<ExportFormat, (entry: AuditEntry) => string>> = {
  jsonl: (entry) => visibleJson(JSON.stringify(entry)),
  syslog: syslogLine,
};

export const exportLine = (format: ExportFormat, entry: AuditEntry): string => LINES[format](entry);
