/**
 * Group commit (semantics 28). A unit of work is queued; the writer runs what is waiting one after another, each in
 * its own savepoint, commits them together, and answers each only after the disk has the commit. A unit awaits nothing but
 * its own queries, so nobody else's slowness is ever inside a transaction.
 *
 *   queue: u1 u2 u3 ──▶ BEGIN · SAVEPOINT u1 RELEASE · SAVEPOINT u2 (throws) ROLLBACK TO · SAVEPOINT u3 … · end · COMMIT · sync
 *   answers:                                                             u1 ✓   u2 ✗   u3 ✓   ◀── after the disk has it
 *
 * While the disk syncs, the event loop goes on and the next group gathers.
 */
import { CompiledQuery, type Kysely } from 'kysely';
import { LogFault, type LogSync } from './log-sync.ts';
import { nextTurn } from './next-turn.ts';
import { askAtOnce } from './prepared.ts';

/** Units in one transaction: bounds how long the first waits for the last. */
const UNITS_PER_COMMIT = 256;
/** Units that run in one turn of the event loop: bounds how long everything else waits for a full group (ADR 0019). */
const UNITS_PER_TURN = 16;

export type UnitQueue<Schema> = {
  /** Runs one unit; rejects with its own error, or with the commit's. */
  readonly run: <Answer>(unit: (transaction: Kysely<Schema>) => Promise<Answer>) => Promise<Answer>;
  /** Resolves when everything queued so far is durable or refused, and takes no more. */
  readonly close: () => Promise<void>;
};

type Waiting<Schema> = {
  /** Runs inside the transaction, and returns how to answer once the commit is known. */
  readonly attempt: (transaction: Kysely<Schema>) => Promise<() => void>;
  readonly abandon: (cause: unknown) => void;
};

/** Compiled once: they stand around every unit. */
const COMMIT = CompiledQuery.raw('commit');
const GIVE_UP = CompiledQuery.raw('rollback');
const SAVEPOINT = CompiledQuery.raw('savepoint unit');
const RELEASE = CompiledQuery.raw('release savepoint unit');
const ROLL_BACK = CompiledQuery.raw('rollback to savepoint unit');

const inSavepoint = async <Schema>(
  transaction: Kysely<Schema>,
  waiting: Waiting<Schema>,
  end: GroupEnd<Schema>,
): Promise<() => void> => {
  const forget = end.mark(transaction);
  await askAtOnce(transaction, SAVEPOINT);
  try {
    const answer = await waiting.attempt(transaction);
    await askAtOnce(transaction, RELEASE);
    return answer;
  } catch (cause) {
    forget();
    await askAtOnce(transaction, ROLL_BACK);
    await askAtOnce(transaction, RELEASE);
    return () => waiting.abandon(cause);
  }
};

/** What the units of a group leave to its end, where it is done for all of them in the same transaction. */
export type GroupEnd<Schema> = {
  readonly begin: (transaction: Kysely<Schema>) => void;
  /** Returns what forgets all that is left to the end from here on. */
  readonly mark: (transaction: Kysely<Schema>) => () => void;
  readonly finish: (transaction: Kysely<Schema>) => Promise<void>;
};

const nothing = () => undefined;
const NO_END = { begin: nothing, mark: () => nothing, finish: () => Promise.resolve() };

type CommitIo<Schema> = {
  readonly writer: Kysely<Schema>;
  readonly begin: CompiledQuery;
  readonly turn: () => Promise<void>;
  readonly durably: LogSync['durably'];
  readonly end: GroupEnd<Schema>;
};

/** Runs the group in one transaction, and answers each of its units when the disk has it. */
const commitTogether = <Schema>(
  { writer, begin, turn, durably, end }: CommitIo<Schema>,
  group: readonly Waiting<Schema>[],
) =>
  writer.connection().execute(async (connection) => {
    await askAtOnce(connection, begin);
    const answers: (() => void)[] = [];
    end.begin(connection);
    try {
      for (const [place, waiting] of group.entries()) {
        if (place > 0 && place % UNITS_PER_TURN === 0) await turn();
        answers.push(await inSavepoint(connection, waiting, end));
      }
      await end.finish(connection);
      await durably(async () => void (await askAtOnce(connection, COMMIT)));
    } catch (cause) {
      await askAtOnce(connection, GIVE_UP).catch(() => undefined);
      throw cause;
    }
    for (const answer of answers) answer();
  });

/** Whoever measures the queue: told of each unit that waits, and of each commit's begin and end. */
export type UnitWatch = {
  readonly waiting: (units: number) => void;
  /** Returns what to call when the transaction is over. */
  readonly committing: (units: number) => () => void;
};

const UNWATCHED: UnitWatch = { waiting: () => undefined, committing: () => () => undefined };

type UnitQueueIo<Schema> = {
  readonly turn?: (() => Promise<void>) | undefined;
  readonly watch?: UnitWatch | undefined;
  /** Runs a commit and puts it on the disk (log-sync.ts); left out where a commit is there by itself. */
  readonly durably?: LogSync['durably'] | undefined;
  readonly end?: GroupEnd<Schema> | undefined;
};

export const unitQueue = <Schema>(
  writer: Kysely<Schema>,
  begin: 'begin immediate' | 'begin',
  io: UnitQueueIo<Schema> = {},
): UnitQueue<Schema> => {
  const { turn = nextTurn, watch = UNWATCHED, durably = (commit) => commit(), end = NO_END } = io;
  const beginning = CompiledQuery.raw(begin);
  let queue: Waiting<Schema>[] = [];
  let writing: Promise<void> | null = null;
  let closed = false;
  /** Why nothing is written any more. */
  let broken: Error | null = null;

  const write = async (group: readonly Waiting<Schema>[]) => {
    if (broken !== null) throw broken;
    try {
      await commitTogether({ writer, begin: beginning, turn, durably, end }, group);
    } catch (cause) {
      if (cause instanceof LogFault) broken = cause;
      throw cause;
    }
  };

  const drain = async () => {
    for (; queue.length > 0; await turn()) {
      const group = queue.slice(0, UNITS_PER_COMMIT);
      queue = queue.slice(group.length);
      watch.waiting(queue.length);
      const committed = watch.committing(group.length);
      await write(group)
        .catch((cause) => {
          for (const waiting of group) waiting.abandon(cause);
        })
        .finally(committed);
    }
    writing = null;
  };

  return {
    run: (unit) => {
      if (closed || broken !== null) return Promise.reject(broken ?? new Error('the store is closed'));
      const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof unit>>>();
      queue.push({
        attempt: async (transaction) => {
          const answer = await unit(transaction);
          return () => resolve(answer);
        },
        abandon: reject,
      });
      watch.waiting(queue.length);
      // requests that came in while the disk was busy are read one by one: a commit of the first alone would cost
      // the others a second sync
      writing ??= turn().then(drain);
      return promise;
    },
    close: async () => {
      closed = true;
      await writing;
    },
  };
};
