/** Units and reads of results: uploads as they arrive, what is pinned, what may be deleted. */

import { COMMANDS } from '@longarm/contract/commands/index';
import type { ActionId, MachineId, Sha256 } from '@longarm/contract/ids';
import type { ResultStream } from '@longarm/contract/result';
import { type Kysely, sql } from 'kysely';
import type { ResultStore, UploadTarget } from '../../actions/ports.ts';
import { firstOf, prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { isNotOver } from './conditions.ts';

/** Hashes bound in one query. */
const HASHES_PER_QUERY = 500;

const commandType = prepared(
  (db, given: { readonly actionId: ActionId; readonly index: number; readonly machineId: MachineId }) =>
    db
      .selectFrom('commands')
      .innerJoin('actions', 'actions.id', 'commands.action_id')
      .select('commands.type')
      .where('commands.action_id', '=', given.actionId)
      .where('commands.idx', '=', given.index)
      .where('actions.machine_id', '=', given.machineId),
);

const commandOf = (db: Kysely<Schema>, { actionId, index, machineId }: UploadTarget) =>
  firstOf(commandType(db, { actionId, index, machineId }));

type Place = { readonly actionId: ActionId; readonly index: number; readonly stream: ResultStream };

const resultAt = prepared((db, given: Place) =>
  db
    .selectFrom('results')
    .selectAll()
    .where('action_id', '=', given.actionId)
    .where('idx', '=', given.index)
    .where('stream', '=', given.stream),
);

const findRow = (db: Kysely<Schema>, { actionId, index, stream }: UploadTarget) =>
  firstOf(resultAt(db, { actionId, index, stream }));

const hasStream = async (db: Kysely<Schema>, target: UploadTarget): Promise<boolean> => {
  const command = await commandOf(db, target);
  return command !== undefined && COMMANDS[command.type].results.includes(target.stream);
};

const beginResult = prepared((db, given: Place & { readonly lengthBytes: number; readonly now: number }) => {
  const fresh = { length_bytes: given.lengthBytes, sha256: null };
  const place = { action_id: given.actionId, idx: given.index, stream: given.stream };
  return db
    .insertInto('results')
    .values({ ...place, ...fresh, reported_at: null, name: '', cut_bytes: 0, created_at: given.now })
    .onConflict((conflict) => conflict.columns(['action_id', 'idx', 'stream']).doUpdateSet(fresh));
});

const openUpload = async (db: Kysely<Schema>, target: Parameters<ResultStore['openUpload']>[0]) => {
  if (!(await hasStream(db, target))) return null;
  const known = await findRow(db, target);
  const lengthBytes = target.lengthBytes;
  if (known !== undefined && (known.reported_at !== null || Number(known.length_bytes) === lengthBytes)) {
    return { lengthBytes: Number(known.length_bytes), sha256: known.sha256, restarted: false };
  }
  const { actionId, index, stream, now } = target;
  await beginResult(db, { actionId, index, stream, lengthBytes, now });
  return { lengthBytes, sha256: null, restarted: known !== undefined };
};

const setHash = prepared((db, given: Place & { readonly sha256: Sha256; readonly sizeBytes: number }) =>
  db
    .updateTable('results')
    .set({ sha256: given.sha256 })
    .where('action_id', '=', given.actionId)
    .where('idx', '=', given.index)
    .where('stream', '=', given.stream)
    .where('reported_at', 'is', null)
    .where('length_bytes', '=', given.sizeBytes),
);

const completeUpload = async (db: Kysely<Schema>, done: Parameters<ResultStore['completeUpload']>[0]) => {
  const { actionId, index, stream, sha256, sizeBytes } = done;
  await setHash(db, { actionId, index, stream, sha256, sizeBytes });
};

const keepWhole = async (db: Kysely<Schema>, done: Parameters<ResultStore['keepWhole']>[0]) => {
  const opened = await openUpload(db, { ...done, lengthBytes: done.sizeBytes });
  if (opened === null || opened.sha256 !== null) return opened;
  await completeUpload(db, done);
  return { lengthBytes: done.sizeBytes, sha256: done.sha256 };
};

type Pin = { readonly machineId: MachineId; readonly actionId: ActionId; readonly sha256: Sha256 };

const commandsWithPin = prepared((db, pin: Pin) =>
  db
    .selectFrom('commands')
    .innerJoin('actions', 'actions.id', 'commands.action_id')
    .select(['commands.idx', 'commands.status'])
    .where((eb) =>
      eb.and({
        'commands.action_id': pin.actionId,
        'commands.file_sha256': pin.sha256,
        'actions.machine_id': pin.machineId,
      }),
    )
    .orderBy('commands.idx'),
);

const pinnedBy = async (db: Kysely<Schema>, pin: Pin) => {
  const { rows } = await commandsWithPin(db, pin);
  return (rows.find((row) => row.status === 'Executing') ?? rows[0])?.idx ?? null;
};

const smallBlob = prepared((db, given: { readonly sha256: Sha256 }) =>
  db.selectFrom('small_blobs').select('content').where('sha256', '=', given.sha256),
);

const deleteUnspoken = prepared((db, given: { readonly sha256: Sha256 }) =>
  db
    .deleteFrom('small_blobs')
    .where('sha256', '=', given.sha256)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('results').select('idx').where('results.sha256', '=', given.sha256))),
    ),
);

const resultsBefore = prepared((db, given: { readonly before: number; readonly limit: number }) =>
  db
    .selectFrom('results')
    .innerJoin('actions', 'actions.id', 'results.action_id')
    .select(['results.action_id', 'results.idx', 'results.stream', 'results.sha256'])
    .where('results.created_at', '<', given.before)
    .where('actions.status', 'not in', ['Pending', 'InProgress'])
    .limit(sql<number>`${given.limit}`),
);

const forgetKeysBefore = prepared((db, given: { readonly before: number }) =>
  db.deleteFrom('idempotency_keys').where('expires_at', '<', given.before),
);

const retire = async (db: Kysely<Schema>, before: number, limit: number): Promise<number> => {
  const { rows: old } = await resultsBefore(db, { before, limit });
  for (const row of old) {
    await db
      .deleteFrom('results')
      .where('action_id', '=', row.action_id)
      .where('idx', '=', row.idx)
      .where('stream', '=', row.stream)
      .execute();
  }
  for (const { sha256 } of old) if (sha256 !== null) await deleteUnspoken(db, { sha256 });
  await forgetKeysBefore(db, { before });
  return old.length;
};

const referencedAmong = async (db: Kysely<Schema>, blobs: readonly Sha256[]): Promise<readonly (Sha256 | null)[]> => {
  const library = await db.selectFrom('library_files').select('sha256').where('sha256', 'in', blobs).execute();
  const results = await db.selectFrom('results').select('sha256').where('sha256', 'in', blobs).execute();
  // a pin counts until its action can no longer run
  const pins = await db
    .selectFrom('commands')
    .innerJoin('actions', 'actions.id', 'commands.action_id')
    .select('commands.file_sha256 as sha256')
    .where('commands.file_sha256', 'in', blobs)
    .where(isNotOver)
    .execute();
  return [...library, ...results, ...pins].map((row) => row.sha256);
};

const unreferenced = async (db: Kysely<Schema>, blobs: readonly Sha256[]): Promise<readonly Sha256[]> => {
  const free: Sha256[] = [];
  for (let start = 0; start < blobs.length; start += HASHES_PER_QUERY) {
    const some = blobs.slice(start, start + HASHES_PER_QUERY);
    const referenced = new Set(await referencedAmong(db, some));
    free.push(...some.filter((blob) => !referenced.has(blob)));
  }
  return free;
};

export const resultStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): ResultStore => ({
  openUpload: (target) => units.run((db) => openUpload(db, target)),
  findUpload: async (target) => {
    const row = (await commandOf(reader, target)) === undefined ? undefined : await findRow(reader, target);
    return row === undefined ? null : { lengthBytes: Number(row.length_bytes), sha256: row.sha256 };
  },
  hasStream: (target) => hasStream(reader, target),
  keepWhole: (done) => units.run((db) => keepWhole(db, done)),
  completeUpload: (done) => units.run((db) => completeUpload(db, done)),
  smallBlob: async (sha256) => (await firstOf(smallBlob(reader, { sha256 })))?.content ?? null,
  pinnedBy: (machineId, actionId, sha256) => pinnedBy(reader, { machineId, actionId, sha256 }),
  retire: (before, limit) => units.run((db) => retire(db, before, limit)),
  unreferenced: (blobs) => unreferenced(reader, blobs),
});
