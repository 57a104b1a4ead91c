/**
 * The unit behind a device's reports. Idempotent, since an outbox sends until it is acknowledged. What was reported together is
 * judged one by one and written once. Evidence (partial output, a file) is kept with its command even when the action is
 * final already.
 */
import { isFinal } from '@longarm/contract/action';
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { Fact } from '@longarm/contract/wire/to-server';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { ActionStore, EndedAction, RecordOutcome, Reported } from '../../actions/ports.ts';
import type { NewAuditEntry } from '../../audit/ports.ts';
import { prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { writeAuditEntries } from '../write-audit.ts';
import { afterEvent, writeState } from './apply-event.ts';
import { isNotOver } from './conditions.ts';
import { keepResults, missingStreams } from './finished-results.ts';
import { loadAction } from './load-actions.ts';

type Reports = Parameters<ActionStore['record']>[0];

/** An action as its rows have it, and as it is after the facts so far. */
type Told = { readonly before: ActionRecord; after: ActionRecord };

type Telling = {
  readonly db: Kysely<Schema>;
  readonly reports: Reports;
  readonly told: Map<ActionId, Told>;
  readonly entries: NewAuditEntry[];
};

const toldOf = async ({ db, reports, told }: Telling, actionId: ActionId): Promise<Told | null> => {
  const known = told.get(actionId);
  if (known !== undefined) return known;
  const action = await loadAction(db, actionId);
  if (action === null || action.machineId !== reports.machineId) return null;
  const fresh = { before: action, after: action };
  told.set(actionId, fresh);
  return fresh;
};

/** What a device must be told that goes on with an action that is final here. */
const stopReason = (before: ActionRecord, fact: Fact): string | null =>
  isFinal(before.status) && (fact.kind === 'accepted' || fact.kind === 'command-started')
    ? (before.reason ?? `the action is ${before.status}`)
    : null;

/** Facts after which the machine may be free for another action. */
const ENDS: ReadonlySet<Fact['kind']> = new Set(['refused', 'command-finished', 'action-ended']);

const others = prepared((db, given: { readonly machineId: MachineId; readonly actionId: ActionId }) =>
  db
    .selectFrom('actions')
    .select('id')
    .where('machine_id', '=', given.machineId)
    .where(isNotOver)
    .where('id', '<>', given.actionId)
    .limit(1),
);

const othersWait = async (db: Kysely<Schema>, given: Parameters<typeof others>[1]): Promise<boolean> =>
  (await others(db, given)).rows.length > 0;

const endOf = (before: ActionRecord, { status, createdAt }: ActionRecord): EndedAction | null =>
  isFinal(status) && status !== before.status ? { status, createdAt } : null;

const recordFact = async (telling: Telling, { fact, contents }: Reported): Promise<RecordOutcome> => {
  const { db, reports, entries } = telling;
  const { machineId, now } = reports;
  const told = await toldOf(telling, fact.actionId);
  if (told === null) return { kind: 'unknown' };
  const action = told.after;
  let evidence = false;
  // of a command that there is not nothing is kept, whatever came with the report
  if (fact.kind === 'command-finished' && action.commands[fact.index] !== undefined) {
    const streams = await missingStreams(db, action, { fact, contents });
    if (streams.length > 0) return { kind: 'missing-uploads', streams };
    evidence = await keepResults(db, { fact, contents, now });
  }
  const applied = afterEvent(action, { event: fact, actor: `device ${machineId}`, now });
  if (applied !== null) {
    told.after = applied.action;
    entries.push(applied.entry);
  }
  const isAwaited = ENDS.has(fact.kind) && (await othersWait(db, { machineId, actionId: fact.actionId }));
  const changed = applied !== null || evidence;
  return { kind: 'recorded', changed, stop: stopReason(action, fact), isAwaited, ended: endOf(action, told.after) };
};

export const recordFacts = async (db: Kysely<Schema>, reports: Reports): Promise<readonly RecordOutcome[]> => {
  const telling: Telling = { db, reports, told: new Map(), entries: [] };
  const outcomes: RecordOutcome[] = [];
  for (const reported of reports.reports) {
    const outcome = await recordFact(telling, reported);
    outcomes.push(outcome);
    // what came after it waits for it
    if (outcome.kind === 'missing-uploads') break;
  }
  for (const { before, after } of telling.told.values())
    if (after !== before) await writeState(db, before, { after, now: reports.now });
  await writeAuditEntries(db, telling.entries);
  return outcomes;
};
