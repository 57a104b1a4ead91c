/** Kysely over bun:sqlite: the driver's own dialect asks for better-sqlite3's shape, which this gives. */
import type { Database, SQLQueryBindings, Statement } from 'bun:sqlite';
import { SqliteDialect } from 'kysely';

/** Prepared statements kept per connection; filters make new texts, so the number is bounded. */
const STATEMENTS_KEPT = 256;

/** What of a database is used here. */
export type SqliteConnection = {
  readonly prepare: (sql: string) => Pick<Statement, 'columnNames' | 'all' | 'run' | 'iterate' | 'finalize'>;
  readonly close: Database['close'];
};

type Prepared = { readonly statement: ReturnType<SqliteConnection['prepare']>; readonly reader: boolean };

const statementCache = (database: SqliteConnection) => {
  const kept = new Map<string, Prepared>();
  return (sql: string): Prepared => {
    const known = kept.get(sql);
    if (known !== undefined) {
      kept.delete(sql);
      kept.set(sql, known);
      return known;
    }
    const statement = database.prepare(sql);
    const prepared = { statement, reader: statement.columnNames.length > 0 };
    kept.set(sql, prepared);
    const oldest = kept.size > STATEMENTS_KEPT ? kept.entries().next().value : undefined;
    if (oldest !== undefined) {
      kept.delete(oldest[0]);
      oldest[1].statement.finalize();
    }
    return prepared;
  };
};

export const bunSqliteDialect = (database: SqliteConnection): SqliteDialect => {
  const prepare = statementCache(database);
  // Kysely types parameters as unknown; what reaches here was bound by its own compiler
  const bindings = (parameters: readonly unknown[]) => parameters as SQLQueryBindings[];
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare: (sql) => {
        const { statement, reader } = prepare(sql);
        return {
          reader,
          all: (parameters) => statement.all(...bindings(parameters)),
          run: (parameters) => statement.run(...bindings(parameters)),
          iterate: (parameters) => statement.iterate(...bindings(parameters)),
        };
      },
    },
  });
};
