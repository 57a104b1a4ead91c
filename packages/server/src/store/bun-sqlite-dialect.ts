/** Kysely over bun:sqlite: a driver for a connection whose calls answer at once, beside Kysely's own SQLite compiler. */
import type { Database, SQLQueryBindings, Statement } from 'bun:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type LimitNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

/** Prepared statements kept per connection; filters make new texts, so the number is bounded. */
const STATEMENTS_KEPT = 256;

/** What of a database is used here. */
export type SqliteConnection = {
  readonly prepare: (sql: string) => Pick<Statement, 'columnNames' | 'all' | 'run' | 'iterate' | 'finalize'>;
  readonly close: Database['close'];
};

export type DialectTerms = {
  /** Nothing is ever in a transaction on it: a query need not wait for another one's end. */
  readonly isShared?: boolean;
  /** Waits until what a query has just read is on the disk; null when it is. */
  readonly settled?: () => Promise<void> | null;
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

// Kysely types parameters as unknown; what reaches here was bound by its own compiler
const bindings = (parameters: readonly unknown[]) => parameters as SQLQueryBindings[];

const connectionTo = (database: SqliteConnection, { settled }: DialectTerms): DatabaseConnection => {
  const prepare = statementCache(database);
  return {
    executeQuery: async <Row>({ sql, parameters }: CompiledQuery) => {
      const { statement, reader } = prepare(sql);
      if (!reader) {
        const { changes, lastInsertRowid } = statement.run(...bindings(parameters));
        return { insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes), rows: [] };
      }
      // whoever asks says of which shape its rows are
      const rows = statement.all(...bindings(parameters)) as Row[];
      const settling = settled?.() ?? null;
      if (settling !== null) await settling;
      return { rows };
    },
    streamQuery: async function* <Row>({ sql, parameters }: CompiledQuery) {
      for (const row of prepare(sql).statement.iterate(...bindings(parameters))) yield { rows: [row as Row] };
    },
  };
};

const driverOf = (database: SqliteConnection, terms: DialectTerms): Driver => {
  const connection = connectionTo(database, terms);
  const say = async (sql: string) => void (await connection.executeQuery(CompiledQuery.raw(sql)));
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: () => say('begin'),
    commitTransaction: () => say('commit'),
    rollbackTransaction: () => say('rollback'),
    destroy: async () => database.close(),
  };
};

/**
 * SQLite looks at the values of some parameters while it plans (those of a limit, and of most queries that sort, group or
 * may go by a partial index), and plans such a statement anew each time that it is asked with another value: 5 to 25 µs,
 * where the answer alone takes one. It does not look into an expression, and `+` changes no value
 * (https://www.sqlite.org/lang_expr.html, "Operators").
 */
class KeptPlanCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }

  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node);
    this.append(' + 0');
  }
}

class SharedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export const bunSqliteDialect = (database: SqliteConnection, terms: DialectTerms = {}): Dialect => ({
  createDriver: () => driverOf(database, terms),
  createQueryCompiler: () => new KeptPlanCompiler(),
  createAdapter: () => (terms.isShared === true ? new SharedAdapter() : new SqliteAdapter()),
  createIntrospector: (db) => new SqliteIntrospector(db),
});
