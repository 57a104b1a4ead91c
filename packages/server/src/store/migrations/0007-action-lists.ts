/** Each documented filter of the action list finds its rows in the order in which they are answered: newest first. */
import { type Kysely, sql } from 'kysely';

const INDEXES = [
  'create index actions_of_machine on actions (tenant_id, machine_id, created_at, seq)',
  'create index actions_of_machine_by_status on actions (tenant_id, machine_id, status, created_at, seq)',
  'create index actions_by_status on actions (tenant_id, status, created_at, seq)',
  'create index actions_by_name on actions (tenant_id, lower(computer_dns_name), created_at, seq)',
  'create index actions_by_requestor on actions (tenant_id, lower(requestor), created_at, seq)',
];

export const actionListsMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};
