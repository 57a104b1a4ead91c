/** Exit codes of every command, for scripts; `longarm --help` and docs/cli.md show this table. */
export const EXIT_CODES = {
  fine: { code: 0, meaning: 'it worked; with --wait: the action ended as Succeeded' },
  notSucceeded: {
    code: 1,
    meaning: 'the action ended as Failed, TimeOut or Cancelled; `audit verify`: the audit was changed',
  },
  usage: { code: 2, meaning: 'the command line cannot be understood, or something needed is not given' },
  refused: { code: 3, meaning: 'the server refused (status 4xx): permission, limit, unknown name, busy device' },
  unreachable: { code: 4, meaning: 'the server cannot be reached or is not trusted' },
  waitedTooLong: { code: 5, meaning: '--wait-seconds passed and the action is not final; it goes on' },
  serverFailed: { code: 6, meaning: 'the server failed (status 5xx) or answered something unknown' },
  local: { code: 7, meaning: 'a local file or folder cannot be used, or a download is not what it should be' },
  mistake: { code: 70, meaning: 'a mistake in longarm itself' },
  interrupted: { code: 130, meaning: 'interrupted by Ctrl-C; actions go on' },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitReason = keyof typeof EXIT_CODES;

/** The table as text, for help. */
export const exitCodesHelp = (): string =>
  ['Exit codes:', ...Object.values(EXIT_CODES).map((row) => `  ${String(row.code).padStart(3)}  ${row.meaning}`)].join(
    '\n',
  );
