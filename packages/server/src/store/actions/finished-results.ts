/** The results of a finished command: those that came with its report, and those that were uploaded before it. */
import { COMMANDS } from '@longarm/contract/commands/index';
import type { ActionId, Sha256 } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { ResultStream } from '@longarm/contract/result';
import type { Fact, UploadedResult } from '@longarm/contract/wire/to-server';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { ResultContent } from '../../actions/ports.ts';
import { prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';

type Finished = {
  readonly fact: Extract<Fact, { kind: 'command-finished' }>;
  readonly contents: readonly ResultContent[];
};

const uploadsOf = prepared((db, given: { readonly actionId: ActionId; readonly index: number }) =>
  db.selectFrom('results').selectAll().where('action_id', '=', given.actionId).where('idx', '=', given.index),
);

const contentOf = (contents: readonly ResultContent[], { stream }: UploadedResult): ResultContent | undefined =>
  contents.find((content) => content.stream === stream);

/** Streams that the report speaks of and that are neither with it nor here whole, or that a Completed command owes. */
export const missingStreams = async (
  db: Kysely<Schema>,
  action: ActionRecord,
  { fact, contents }: Finished,
): Promise<readonly ResultStream[]> => {
  const command = action.commands[fact.index];
  if (command === undefined) return [];
  const streams = COMMANDS[command.command.type].results;
  const owed = fact.outcome === 'Completed' ? streams : [];
  const unreported = owed.filter((stream) => !fact.results.some((result) => result.stream === stream));
  const toBeHere = fact.results.filter(
    (result) => contentOf(contents, result) === undefined || !streams.includes(result.stream),
  );
  if (toBeHere.length === 0) return unreported;
  const { rows } = await uploadsOf(db, { actionId: fact.actionId, index: fact.index });
  const isHere = (result: UploadedResult) =>
    rows.some(
      (upload) =>
        upload.stream === result.stream &&
        upload.sha256 === result.sha256 &&
        Number(upload.length_bytes) === result.sizeBytes,
    );
  return [...toBeHere.filter((result) => !isHere(result)).map((result) => result.stream), ...unreported];
};

const reportUpload = prepared(
  (
    db,
    given: {
      readonly actionId: ActionId;
      readonly index: number;
      readonly stream: ResultStream;
      readonly now: EpochMs;
      readonly name: string;
      readonly cutBytes: number;
    },
  ) =>
    db
      .updateTable('results')
      .set({ reported_at: given.now, name: given.name, cut_bytes: given.cutBytes })
      .where('action_id', '=', given.actionId)
      .where('idx', '=', given.index)
      .where('stream', '=', given.stream)
      .where('reported_at', 'is', null),
);

type WholeRow = Omit<Schema['results'], 'sha256'> & { readonly sha256: Sha256 };

/** A row of an upload that never came to its end makes way; one that was reported stays as it is. */
const insertWhole = prepared((db, row: WholeRow) =>
  db
    .insertInto('results')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['action_id', 'idx', 'stream'])
        .doUpdateSet((eb) => ({
          length_bytes: eb.ref('excluded.length_bytes'),
          sha256: eb.ref('excluded.sha256'),
          reported_at: eb.ref('excluded.reported_at'),
          name: eb.ref('excluded.name'),
          cut_bytes: eb.ref('excluded.cut_bytes'),
        }))
        .where('results.reported_at', 'is', null),
    ),
);

const insertContent = prepared((db, row: Schema['small_blobs']) =>
  db
    .insertInto('small_blobs')
    .values(row)
    .onConflict((conflict) => conflict.column('sha256').doNothing()),
);

/** True when anything of it is new. */
export const keepResults = async (
  db: Kysely<Schema>,
  { fact, contents, now }: Finished & { readonly now: EpochMs },
): Promise<boolean> => {
  const { actionId, index } = fact;
  let kept = 0n;
  for (const result of fact.results) {
    const { stream, name, cutBytes, sha256, sizeBytes } = result;
    const content = contentOf(contents, result);
    if (content !== undefined) await insertContent(db, { sha256, content: content.bytes });
    const place = { action_id: actionId, idx: index, stream };
    const reported = { reported_at: now, name, cut_bytes: cutBytes };
    const { numAffectedRows } =
      content === undefined
        ? await reportUpload(db, { actionId, index, stream, now, name, cutBytes })
        : await insertWhole(db, { ...place, length_bytes: sizeBytes, sha256, ...reported, created_at: now });
    kept += numAffectedRows ?? 0n;
  }
  return kept > 0n;
};
