/** Parts broken on purpose, one for each invariant: what the simulator is worth is how soon it finds them. */
import type { Database } from 'bun:sqlite';
import { MachineId } from '@longarm/contract/ids';
import type { Store } from '@longarm/server/store/open-store';
import { TENANT } from './founding.ts';
import type { Broken } from './world.ts';

type Actions = Store['actions'];

const withActions = (change: (actions: Actions, raw: () => Database) => Partial<Actions>): Broken => ({
  server: {
    store: (store, raw) => ({ ...store, actions: { ...store.actions, ...change(store.actions, raw) } }),
  },
});

/** 1: a request is answered by what was written, and what was written is not kept. */
const forgetsRequests = withActions(({ request }, raw) => ({
  request: async (action) => {
    const outcome = await request(action);
    if (outcome.kind !== 'accepted') return outcome;
    for (const table of ['results', 'commands']) raw().run(`delete from ${table} where action_id = ?`, [action.id]);
    raw().run('delete from actions where id = ?', [action.id]);
    return outcome;
  },
}));

/** 1: units are answered as soon as they are committed, and the disk gets them later. */
const answersBeforeSync: Broken = {
  server: {
    log: (log) => ({
      ...log,
      durably: (commit) =>
        new Promise((resolve, reject) => {
          log.durably(() => commit().then(resolve, reject)).catch(reject);
        }),
    }),
  },
};

/** 1: whoever reads is told of commits that are not on the disk, or never will be. */
const readsDoNotWait: Broken = { server: { log: (log) => ({ ...log, pending: () => null }) } };

/** 2: a disk says that it has what it has not; after a loss of power the device has forgotten what it started. */
const diskLies: Broken = { device: { disk: (disk) => ({ ...disk, sync: () => {} }) } };

/** 2: an offer is not looked up, so that one that is made again, as each is here, is a new one. */
const offersAreNew = (): Broken => {
  let isJudgingOffer = false;
  return {
    device: {
      dial: (dial) => (events) =>
        dial({
          ...events,
          onMessage: (data) => {
            isJudgingOffer = `${data}`.startsWith('{"type":"offer"');
            events.onMessage(data);
            if (isJudgingOffer) events.onMessage(data);
            isJudgingOffer = false;
          },
        }),
      journal: (journal) => ({
        ...journal,
        action: (actionId) => (isJudgingOffer ? null : journal.action(actionId)),
        lastCounter: () => ({ epoch: 0, counter: 0 }),
      }),
    },
  };
};

/** 1: a report is acknowledged first and written later: what a crash of the server forgets, nobody tells again. */
const acknowledgesFirst = withActions(({ record, expireOverdue }) => {
  let late: (() => Promise<unknown>)[] = [];
  return {
    record: async (reported) => {
      late.push(() => record(reported));
      return reported.reports.map(() => ({
        kind: 'recorded',
        changed: false,
        stop: null,
        isAwaited: true,
        ended: null,
      }));
    },
    expireOverdue: async (now, limit) => {
      for (const run of late) await run();
      late = [];
      return expireOverdue(now, limit);
    },
  };
});

/** 3: nothing is overdue, ever. */
const neverExpires = withActions(() => ({ expireOverdue: async () => [] }));

/** 4: what a device reports counts also after the end. */
const believesLateReports = withActions(({ record }, raw) => ({
  record: async (reported) => {
    const outcomes = await record(reported);
    for (const { fact } of reported.reports.slice(0, outcomes.length))
      if (fact.kind === 'action-ended')
        raw().run(
          "update actions set status = 'Failed', reason = 'as the device says' where id = ? and status <> 'Succeeded'",
          [fact.actionId],
        );
    return outcomes;
  },
}));

/** 5: a finished command is believed without its results. */
const believesWithoutResults = withActions(({ record }, raw) => ({
  record: async (reported) => {
    const outcomes = await record(reported);
    const fact = reported.reports[outcomes.length - 1]?.fact;
    if (outcomes.at(-1)?.kind === 'missing-uploads' && fact?.kind === 'command-finished')
      raw().run("update commands set status = 'Completed' where action_id = ? and idx = ?", [
        fact.actionId,
        fact.index,
      ]);
    return outcomes;
  },
}));

/** 5: the report goes before the upload, and the server does not look. */
const reportsBeforeUpload: Broken = {
  ...believesWithoutResults,
  device: { deliver: () => async () => ({ kind: 'delivered' }) },
};

/** 6: nobody counts the sessions. */
const countsNoSessions = withActions(({ request, claimNext }) => ({
  request: (action) => request({ ...action, maxSessions: 1_000 }),
  claimNext: (terms) => claimNext({ ...terms, maxSessions: 1_000 }),
}));

/** 7: one kind of change is not written down. */
const skipsAudit: Broken = {
  database: (writer) =>
    writer.run(
      "create temp trigger skip before insert on audit when new.event = 'action.InProgress' begin select raise(ignore); end",
    ),
};

/** 8: an upload is kept under a name that is not one of ours. */
const namesByHearsay: Broken = {
  server: { blobs: (blobs) => ({ ...blobs, append: (key, part) => blobs.append(`../${key}`, part) }) },
};

/** 5: a short output is neither in the journal nor on the disk. */
const keepsNoOutput: Broken = {
  device: {
    journal: (journal) => ({
      ...journal,
      report: (...facts) =>
        journal.report(
          ...facts.map(({ sources = [], ...fact }) => ({
            ...fact,
            sources: sources.map(({ stream, path, isSpool }) => ({ stream, path, isSpool })),
          })),
        ),
    }),
  },
};

/** 10: a proof is good for as many requests as it is shown with. */
const proofsAreGoodTwice: Broken = { server: { proofs: () => ({ admit: () => true }) } };

/** 9: what the server has is never forgotten on the device. */
const forgetsNothing: Broken = {
  device: {
    journal: (journal) => ({
      ...journal,
      note: (note) => (note.kind === 'acknowledged' ? undefined : journal.note(note)),
    }),
  },
};

/** 10: the one who asks may approve. */
const ownWordCounts = withActions(({ decide }) => ({
  decide: (asked) => decide({ ...asked, by: { ...asked.by, principal: 'another', name: 'another' } }),
}));

/** 10: to cancel, it is enough to know an id. */
const anybodyCancels = withActions(({ cancel }) => ({
  cancel: (asked) => cancel({ ...asked, reach: { ...asked.reach, tenantId: TENANT } }),
}));

/** 10: a report counts whoever tells it. */
const believesAnyDevice = withActions(({ record }, raw) => ({
  record: (reported) => {
    const owner = raw()
      .query<{ machine_id: string }, [string]>('select machine_id from actions where id = ?')
      .get(reported.reports[0]?.fact.actionId ?? '');
    return record(owner === null ? reported : { ...reported, machineId: MachineId.parse(owner.machine_id) });
  },
}));

export type BrokenPart = {
  readonly name: string;
  readonly invariants: readonly number[];
  readonly broken: Broken;
  /** The world to begin with, where the first ones are known to show nothing; 1 when left out. */
  readonly from?: number;
};

/** `invariants`: by which of them it may be found; each breaks the world in more than one way. */
export const BROKEN_PARTS: readonly BrokenPart[] = [
  { name: 'a store that loses what it answered', invariants: [1], broken: forgetsRequests },
  {
    name: 'a report that is acknowledged before it is written',
    invariants: [1, 5],
    broken: acknowledgesFirst,
  },
  { name: 'an answer before the disk has the commit', invariants: [1], broken: answersBeforeSync },
  { name: 'reads that do not wait for the disk', invariants: [1], broken: readsDoNotWait },
  { name: 'a disk that lies about syncing', invariants: [1, 2, 3, 6], broken: diskLies },
  { name: 'an inbox without the look into the journal', invariants: [2, 6], broken: offersAreNew() },
  { name: 'deadlines that nobody watches', invariants: [3], broken: neverExpires },
  { name: 'a final state that is left', invariants: [4], broken: believesLateReports },
  { name: 'a report that is believed before its results are there', invariants: [5], broken: reportsBeforeUpload },
  { name: 'a short output that is nowhere on the disk', invariants: [5], broken: keepsNoOutput },
  { name: 'a proof that is good twice', invariants: [10], broken: proofsAreGoodTwice },
  { name: 'sessions that nobody counts', invariants: [6], broken: countsNoSessions },
  { name: 'a change without its audit entry', invariants: [7], broken: skipsAudit },
  { name: 'an upload under a name of its own', invariants: [8], broken: namesByHearsay },
  { name: 'an approval by the one who asked', invariants: [10], broken: ownWordCounts },
  { name: 'a cancel by whoever knows the id', invariants: [10], broken: anybodyCancels },
  { name: 'a report on an action of another device', invariants: [1, 2, 3, 4, 5, 6, 10], broken: believesAnyDevice },
  { name: 'an outbox that forgets nothing', invariants: [9], broken: forgetsNothing },
];
