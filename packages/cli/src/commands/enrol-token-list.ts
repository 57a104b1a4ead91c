import type { EnrolTokenSummary } from '@longarm/contract/admin/operations';
import type { Command } from 'commander';
import { printJson, printTable } from '../display/print.ts';
import { formatAge, formatMoment } from '../display/quantities.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

const stateOf = (token: EnrolTokenSummary, nowMs: number): string => {
  if (token.revoked) return 'revoked';
  if (token.maxUses !== null && token.uses >= token.maxUses) return 'used up';
  const expires = token.expiresDateTimeUtc;
  if (expires !== null && Date.parse(expires) <= nowMs) return 'expired';
  return token.approval ? 'good, with approval' : 'good';
};

export const addEnrolTokenList = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('list').description('list enrolment tokens, never their secrets');
  adminCommand(command, ['longarm enrol-token list --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const { tokens } = await throughAdmin(parts, flags, (door) => door.call('listEnrolTokens', {}));
    if (flags.json) return printJson(parts.io, tokens);
    const nowMs = parts.io.world.now();
    const columns = ['ID', 'STATE', 'USES', 'GROUP', 'TAGS', 'CREATED', 'EXPIRES'].map((title) => ({
      title,
      keep: title === 'ID',
    }));
    const rows = tokens.map((token) => [
      { text: token.id },
      { text: stateOf(token, nowMs) },
      { text: `${token.uses}/${token.maxUses ?? '∞'}` },
      { text: token.group ?? '' },
      { text: token.tags.join(' ') },
      { text: formatAge(token.createdDateTimeUtc, nowMs) },
      { text: token.expiresDateTimeUtc === null ? 'never' : formatMoment(token.expiresDateTimeUtc) },
    ]);
    await printTable(parts.io, { columns, rows }, 'There are no enrolment tokens.');
  });
};
