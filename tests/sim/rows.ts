/** What the server's rows say, read by plain queries. */
import type { Database } from 'bun:sqlite';

export type ActionLine = {
  readonly id: string;
  readonly machine_id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly holds_slot: number;
  readonly queue_deadline: number;
  readonly run_deadline: number | null;
  readonly requestor: string;
  readonly approval_state: string | null;
  readonly approver: string | null;
};
export type CommandLine = {
  readonly action_id: string;
  readonly idx: number;
  readonly type: string;
  readonly status: string;
  readonly errors: string;
  readonly exit_code: number | null;
};
export type AuditLine = { readonly seq: number; readonly event: string; readonly subject: string };
export type ResultLine = {
  readonly idx: number;
  readonly stream: string;
  readonly sha256: string | null;
  readonly reported_at: number | null;
};

export type Rows = {
  readonly actionIds: () => readonly string[];
  readonly action: (id: string) => ActionLine | null;
  /** In their order. */
  readonly commands: (actionId: string) => readonly CommandLine[];
  readonly results: (actionId: string) => readonly ResultLine[];
  readonly auditAfter: (seq: number) => readonly AuditLine[];
  readonly smallBlob: (sha256: string) => Uint8Array | null;
};

/** `query` of the database keeps what it has prepared. */
export const readRows = (database: Database): Rows => ({
  actionIds: () =>
    database
      .query<{ id: string }, []>('select id from actions')
      .all()
      .map(({ id }) => id),
  action: (id) =>
    database
      .query<ActionLine, [string]>(
        'select id, machine_id, status, reason, holds_slot, queue_deadline, run_deadline, requestor, approval_state, approver from actions where id = ?',
      )
      .get(id),
  commands: (id) =>
    database
      .query<CommandLine, [string]>(
        'select action_id, idx, type, status, errors, exit_code from commands where action_id = ? order by idx',
      )
      .all(id),
  results: (id) =>
    database
      .query<ResultLine, [string]>('select idx, stream, sha256, reported_at from results where action_id = ?')
      .all(id),
  auditAfter: (seq) =>
    database.query<AuditLine, [number]>('select seq, event, subject from audit where seq > ? order by seq').all(seq),
  smallBlob: (sha256) =>
    database.query<{ content: Uint8Array }, [string]>('select content from small_blobs where sha256 = ?').get(sha256)
      ?.content ?? null,
});
