/**
 * What must hold, looked at from outside at each commit: by plain queries and rules of its own, not by the product's.
 * The numbers are those of ARCHITECTURE.md.
 */
import type { Database } from 'bun:sqlite';
import { z } from 'zod';
import { type BlobMedium, sha256Of } from './blobs.ts';
import type { SimulatedDevice } from './device.ts';
import type { WorldLimits } from './world-limits.ts';

export type Violation = { readonly invariant: number; readonly sentence: string };

export type Watch = {
  /** To be called after each commit. */
  readonly onCommit: () => void;
  /** How many changes of state there were. */
  readonly changes: () => number;
  /** A command has begun on a device. */
  readonly onBegun: (device: number, actionId: string, index: number) => void;
  readonly onAnswered: (actionId: string) => void;
  /** The first one, or null. */
  readonly violation: () => Violation | null;
  readonly violate: (invariant: number, sentence: string) => void;
  readonly actions: () => ReadonlyMap<string, ActionLine>;
  readonly commands: () => readonly CommandLine[];
};

const ActionLine = z.object({
  id: z.string(),
  machine_id: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
  holds_slot: z.number(),
  queue_deadline: z.number(),
  run_deadline: z.number().nullable(),
});
export type ActionLine = z.infer<typeof ActionLine>;
const CommandLine = z.object({
  action_id: z.string(),
  idx: z.number(),
  type: z.string(),
  status: z.string(),
  errors: z.string(),
  exit_code: z.number().nullable(),
});
export type CommandLine = z.infer<typeof CommandLine>;
const AuditLine = z.object({ seq: z.number(), event: z.string(), subject: z.string() });
const ResultLine = z.object({
  action_id: z.string(),
  idx: z.number(),
  stream: z.string(),
  sha256: z.string().nullable(),
  reported_at: z.number().nullable(),
});

const FINAL = new Set(['Succeeded', 'Failed', 'TimeOut', 'Cancelled']);
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  requested: ['Pending'],
  Pending: ['InProgress', 'Failed', 'Cancelled', 'TimeOut'],
  InProgress: ['Succeeded', 'Failed', 'Cancelled', 'TimeOut'],
};
const SmallLine = z.object({ sha256: z.string(), content: z.instanceof(Uint8Array) });
const OWED: Readonly<Record<string, readonly string[]>> = {
  RunScript: ['stdout', 'stderr'],
  GetFile: ['file'],
  PutFile: [],
};

export type WatchIo = {
  readonly raw: () => Database;
  readonly blobs: BlobMedium;
  readonly limits: WorldLimits;
  readonly now: () => number;
  readonly devices: () => readonly SimulatedDevice[];
};

const lines = <Line>(database: Database, shape: z.ZodType<Line>, sql: string, ...parameters: number[]): Line[] =>
  database
    .query(sql)
    .all(...parameters)
    .map((row) => shape.parse(row));

export const watchInvariants = (io: WatchIo): Watch => {
  let violation: Violation | null = null;
  let actions = new Map<string, ActionLine>();
  let commands: CommandLine[] = [];
  let audited = 0;
  const begun = new Map<string, number>();
  const answered = new Set<string>();
  const violate = (invariant: number, sentence: string) => {
    violation ??= { invariant, sentence };
  };

  /** 7, and that states change along the lines only: the entries of this commit lead from the old state to the new one. */
  const checkAudit = (id: string, before: string | null, after: string, events: readonly string[]) => {
    let state = before;
    for (const event of events) {
      const next = event === 'action.requested' ? 'Pending' : event.replace(/^action\./, '');
      if (!(next in LEGAL) && !FINAL.has(next)) continue;
      if (!LEGAL[state ?? 'requested']?.includes(next)) violate(4, `${id} went from ${state} to ${next}`);
      state = next;
    }
    if (state !== after) violate(7, `${id} is ${after}, and the audit says ${state}`);
  };
  const checkAction = (line: ActionLine, events: readonly string[]) => {
    const before = actions.get(line.id);
    if (
      before !== undefined &&
      FINAL.has(before.status) &&
      (before.status !== line.status || before.reason !== line.reason)
    )
      violate(4, `${line.id} left ${before.status} for ${line.status}`);
    // no device in these worlds loses what it has said to have
    if (line.reason?.startsWith('lost by the device') === true)
      violate(1, `${line.id} is said to be lost by its device`);
    if (before?.status !== line.status) checkAudit(line.id, before?.status ?? null, line.status, events);
  };
  const isKept = (sha256: string) =>
    io.blobs.read(sha256) !== null ||
    lines(io.raw(), SmallLine, 'select sha256, content from small_blobs').some(
      (small) => small.sha256 === sha256 && sha256Of(small.content) === sha256,
    );
  const checkCommands = (next: readonly CommandLine[], results: readonly z.infer<typeof ResultLine>[]) => {
    const known = new Map(commands.map((line) => [`${line.action_id}-${line.idx}`, line]));
    for (const line of next) {
      const before = known.get(`${line.action_id}-${line.idx}`);
      if (before !== undefined && before.status === line.status) continue;
      const isFinal = before?.status === 'Completed' || before?.status === 'Failed';
      if (isFinal) violate(4, `command ${line.idx} of ${line.action_id} left ${before?.status} for ${line.status}`);
      if (line.status !== 'Completed') continue;
      for (const stream of OWED[line.type] ?? []) {
        const result = results.find(
          (one) => one.action_id === line.action_id && one.idx === line.idx && one.stream === stream,
        );
        const isThere = result?.sha256 != null && result.reported_at !== null && isKept(result.sha256);
        if (!isThere) violate(5, `command ${line.idx} of ${line.action_id} is Completed without its ${stream}`);
      }
    }
  };
  /** 6, as the rows have it and as the devices have it. */
  const checkSessions = (next: ReadonlyMap<string, ActionLine>) => {
    const held = [...next.values()].filter((line) => line.holds_slot === 1).length;
    if (held > io.limits.server.sessions)
      violate(6, `${held} sessions are held, ${io.limits.server.sessions} are allowed`);
    for (const device of io.devices())
      for (const { actionId } of device.running()) {
        const line = next.get(actionId);
        const isLate = line?.run_deadline != null && io.now() >= line.run_deadline;
        if (line?.holds_slot !== 1 && !isLate)
          violate(6, `a script of ${actionId} runs on device ${device.index} and holds no session`);
      }
  };
  const onCommit = () => {
    const database = io.raw();
    const audit = lines(
      database,
      AuditLine,
      'select seq, event, subject from audit where seq > ? order by seq',
      audited,
    );
    const next = new Map(
      lines(
        database,
        ActionLine,
        'select id, machine_id, status, reason, holds_slot, queue_deadline, run_deadline from actions',
      ).map((line) => [line.id, line]),
    );
    const nextCommands = lines(
      database,
      CommandLine,
      'select action_id, idx, type, status, errors, exit_code from commands order by action_id, idx',
    );
    const results = lines(database, ResultLine, 'select action_id, idx, stream, sha256, reported_at from results');
    for (const line of next.values())
      checkAction(
        line,
        audit.filter(({ subject }) => subject === line.id).map(({ event }) => event),
      );
    for (const id of answered) if (!next.has(id)) violate(1, `${id} was answered and is gone`);
    checkCommands(nextCommands, results);
    audited = audit.at(-1)?.seq ?? audited;
    actions = next;
    commands = nextCommands;
    checkSessions(next);
  };
  return {
    onCommit,
    changes: () => audited,
    onBegun: (device, actionId, index) => {
      const key = `${actionId}-${index}`;
      const times = (begun.get(key) ?? 0) + 1;
      begun.set(key, times);
      if (times > 1) violate(2, `command ${index} of ${actionId} was begun ${times} times on device ${device}`);
      checkSessions(actions);
    },
    onAnswered: (actionId) => {
      answered.add(actionId);
      if (!actions.has(actionId)) violate(1, `${actionId} was answered before it was in the store`);
    },
    violation: () => violation,
    violate,
    actions: () => actions,
    commands: () => commands,
  };
};
