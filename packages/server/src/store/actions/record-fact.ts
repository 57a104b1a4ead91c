/**
 * The unit behind a device's report. Idempotent, since an outbox sends until it is acknowledged. Evidence (partial
 * output, a file) is kept with its command even when the action is final already.
 */
import { isFinal } from '@longarm/contract/action';
import { COMMANDS } from '@longarm/contract/commands/index';
import type { ResultStream } from '@longarm/contract/result';
import type { Fact, UploadedResult } from '@longarm/contract/wire/to-server';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { ActionStore, RecordOutcome } from '../../actions/ports.ts';
import type { Schema } from '../schema.ts';
import { applyEvent } from './apply-event.ts';
import { loadAction } from './load-actions.ts';

type Finished = Extract<Fact, { kind: 'command-finished' }>;

const uploadsOf = (db: Kysely<Schema>, fact: Finished) =>
  db.selectFrom('results').selectAll().where('action_id', '=', fact.actionId).where('idx', '=', fact.index).execute();

/** Streams that the report speaks of and that are not here whole, or that a Completed command owes. */
const missingStreams = async (
  db: Kysely<Schema>,
  action: ActionRecord,
  fact: Finished,
): Promise<readonly ResultStream[]> => {
  const command = action.commands[fact.index];
  if (command === undefined) return [];
  const uploads = await uploadsOf(db, fact);
  const isHere = (result: UploadedResult) =>
    uploads.some(
      (upload) =>
        upload.stream === result.stream &&
        upload.sha256 === result.sha256 &&
        Number(upload.length_bytes) === result.sizeBytes,
    );
  const owed = fact.outcome === 'Completed' ? COMMANDS[command.command.type].results : [];
  const unreported = owed.filter((stream) => !fact.results.some((result) => result.stream === stream));
  return [...fact.results.filter((result) => !isHere(result)).map((result) => result.stream), ...unreported];
};

const keepResults = async (db: Kysely<Schema>, fact: Finished, now: number): Promise<boolean> => {
  let kept = 0n;
  for (const result of fact.results) {
    const { numUpdatedRows } = await db
      .updateTable('results')
      .set({ reported_at: now, name: result.name, cut_bytes: result.cutBytes })
      .where('action_id', '=', fact.actionId)
      .where('idx', '=', fact.index)
      .where('stream', '=', result.stream)
      .where('reported_at', 'is', null)
      .executeTakeFirst();
    kept += numUpdatedRows;
  }
  return kept > 0n;
};

/** What a device must be told that goes on with an action that is final here. */
const stopReason = (before: ActionRecord, fact: Fact): string | null =>
  isFinal(before.status) && (fact.kind === 'accepted' || fact.kind === 'command-started')
    ? (before.reason ?? `the action is ${before.status}`)
    : null;

export const recordFact = async (
  db: Kysely<Schema>,
  report: Parameters<ActionStore['record']>[0],
): Promise<RecordOutcome> => {
  const { fact, machineId, now } = report;
  const action = await loadAction(db, fact.actionId);
  if (action === null || action.machineId !== machineId) return { kind: 'unknown' };
  let evidence = false;
  if (fact.kind === 'command-finished') {
    const missing = await missingStreams(db, action, fact);
    if (missing.length > 0) return { kind: 'missing-uploads', streams: missing };
    evidence = await keepResults(db, fact, now);
  }
  const after = await applyEvent(db, action, { event: fact, actor: `device ${machineId}`, now });
  return { kind: 'recorded', changed: after !== null || evidence, stop: stopReason(action, fact) };
};
