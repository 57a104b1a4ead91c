/** What a running server has on its disk, read past it: through a connection of the test's own. */
import { Database } from 'bun:sqlite';
import { join } from 'node:path';

export type Row = Readonly<Record<string, string | number | null>>;

/** Rows of a query over the store of a data folder. */
export const storeRows = (dataFolder: string, sql: string, ...values: readonly (string | number)[]): readonly Row[] => {
  const database = new Database(join(dataFolder, 'store.db'), { readonly: true });
  try {
    return database.query<Row, (string | number)[]>(sql).all(...values);
  } finally {
    database.close();
  }
};

const KEPT = [
  'applications',
  'enrol_tokens',
  'machine_tags',
  'library_files',
  'actions',
  'commands',
  'results',
  'idempotency_keys',
  'audit',
  'settings',
] as const;

/** Entries that the clock writes, of what was counted before. */
const BY_THE_CLOCK = `event like '%.refused' or event = 'request.failed' or event like 'sign-in.%' or event = 'audit.checkpoint'`;

/** Everything that a call may change, as one text; presence of machines aside, which changes by itself. */
export const snapshot = (dataFolder: string): string =>
  KEPT.map((table) => {
    const rows = storeRows(
      dataFolder,
      `select * from ${table}${table === 'audit' ? ` where not (${BY_THE_CLOCK})` : ''}`,
    );
    return `${table}: ${JSON.stringify(rows)}`;
  }).join('\n');
