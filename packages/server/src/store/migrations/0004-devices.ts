/** Whether a device may work for this server, and tokens whose devices wait for an administrator's yes. */
import type { Kysely } from 'kysely';

export const devicesMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .alterTable('machines')
      .addColumn('enrolment_state', 'text', (column) => column.notNull().defaultTo('Approved'))
      .execute();
    await db.schema.alterTable('machines').addColumn('enrolment_reason', 'text').execute();
    // the tokens that were presented and handed out with connections, JSON: notices a copied state folder
    await db.schema.alterTable('machines').addColumn('generations', 'text').execute();
    await db.schema.alterTable('machines').addColumn('seen_hardware_id', 'text').execute();
    await db.schema
      .alterTable('enrol_tokens')
      .addColumn('approval', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
