/** Which actions a commit is about: noted by SQLite itself, so that a unit that is rolled back takes its notes with it. */
import type { Database } from 'bun:sqlite';

/** What is watched, and the action that it is about; a lease, a heartbeat or a presence changes nothing of it. */
const WATCHED = [
  ['insert on actions', 'new.id'],
  ['delete on actions', 'old.id'],
  ['update of status, reason, holds_slot, run_deadline, approval_state on actions', 'new.id'],
  ...['commands', 'results'].flatMap((table) => [
    [`insert on ${table}`, 'new.action_id'] as const,
    [`update on ${table}`, 'new.action_id'] as const,
    [`delete on ${table}`, 'old.action_id'] as const,
  ]),
  ['insert on audit', 'new.subject'],
] as const;

/** To be called of the connection that writes, when it has been opened. */
export const noteTouched = (writer: Database): void => {
  writer.run('create temp table touched (id text)');
  for (const [index, [event, id]] of WATCHED.entries())
    writer.run(
      `create temp trigger touch_${index} after ${event} begin insert into touched select coalesce(${id}, ''); end`,
    );
};

export const FIND_TOUCHED = 'select distinct id from touched';
export const FORGET_TOUCHED = 'delete from touched';
