/**
 * What must hold, looked at from outside whenever a commit is on the disk: by plain queries and rules of its own, not by
 * the product's. What is not on the disk yet is not true yet, and nobody may have heard of it.
 *
 * The numbers are those of ARCHITECTURE.md.
 */
import type { Database } from 'bun:sqlite';
import { type BlobMedium, sha256Of } from './blobs.ts';
import type { SimulatedDevice } from './device.ts';
import { HOSTILE_KEY, HOSTILE_TEXT } from './founding.ts';
import { HOSTILE_EXIT, HOSTILE_SHA256 } from './hostile-frames.ts';
import { type ActionLine, type CommandLine, type ResultLine, type Rows, readRows } from './rows.ts';
import type { WorldLimits } from './world-limits.ts';

export type Violation = { readonly invariant: number; readonly sentence: string };

export type Watch = {
  /** To be called when the disk has something new of these actions; null: of whatever there is. */
  readonly onDurable: (ids: readonly string[] | null) => void;
  /** How many changes of state there were. */
  readonly changes: () => number;
  /** No action is open. */
  readonly isIdle: () => boolean;
  /** A command has begun on a device. */
  readonly onBegun: (device: number, actionId: string, index: number) => void;
  readonly onAnswered: (actionId: string) => void;
  /** The first one, or null. */
  readonly violation: () => Violation | null;
  readonly violate: (invariant: number, sentence: string) => void;
  /** A caller was told that the action has this status. */
  readonly onRead: (actionId: string, status: string) => void;
  /** It held a session once. */
  readonly wasClaimed: (actionId: string) => boolean;
  readonly actions: () => ReadonlyMap<string, ActionLine>;
  readonly commandsOf: (actionId: string) => readonly CommandLine[];
};

const FINAL = new Set(['Succeeded', 'Failed', 'TimeOut', 'Cancelled']);
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  requested: ['Pending'],
  Pending: ['InProgress', 'Failed', 'Cancelled', 'TimeOut'],
  InProgress: ['Succeeded', 'Failed', 'Cancelled', 'TimeOut'],
};
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

export const watchInvariants = (io: WatchIo): Watch => {
  let violation: Violation | null = null;
  const actions = new Map<string, ActionLine>();
  const commands = new Map<string, readonly CommandLine[]>();
  let audited = 0;
  const begun = new Map<string, number>();
  const answered = new Set<string>();
  const claimed = new Set<string>();
  /** Whose session was given back while its device was away, and which nobody has claimed since (ADR 0021). */
  const givenBack = new Set<string>();
  const violate = (invariant: number, sentence: string) => {
    violation ??= { invariant, sentence };
  };

  /** 7, and that states change along the lines only: the entries of this commit lead from the old state to the new one. */
  const checkAudit = (line: ActionLine, before: string | null, events: readonly string[]) => {
    const { id, status: after, machine_id } = line;
    const isHostile = machine_id === HOSTILE_KEY.machineId;
    let state = before;
    for (const event of events) {
      const next = event === 'action.requested' ? 'Pending' : event.replace(/^action\./, '');
      if (!(next in LEGAL) && !FINAL.has(next)) continue;
      const isLegal = LEGAL[state ?? 'requested']?.includes(next) === true;
      // a device that lies may leave out that it has begun; the server takes it as said
      const isSkipped = isHostile && state === 'Pending' && next === 'Succeeded';
      if (!isLegal && !isSkipped) violate(4, `${id} went from ${state} to ${next}`);
      state = next;
    }
    if (state !== after) violate(7, `${id} is ${after}, and the audit says ${state}`);
  };
  /** 10: what waits for a second person has begun nowhere, and the second one is not the first. */
  const checkApproval = ({ id, holds_slot, status, approval_state, approver, requestor }: ActionLine) => {
    if (approval_state === null) return;
    if (approval_state !== 'Approved' && (holds_slot === 1 || status === 'InProgress' || status === 'Succeeded'))
      violate(10, `${id} is ${status} and its approval is ${approval_state}`);
    if (approval_state !== 'Required' && approver === requestor)
      violate(10, `${id} was ${approval_state} by ${approver}, who asked for it`);
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
    if (line.machine_id !== HOSTILE_KEY.machineId && line.reason?.startsWith('lost by the device') === true)
      violate(1, `${line.id} is said to be lost by its device`);
    checkApproval(line);
    if (before?.status !== line.status) checkAudit(line, before?.status ?? null, events);
  };
  const isKept = (rows: Rows, sha256: string) => {
    if (io.blobs.read(sha256) !== null) return true;
    const small = rows.smallBlob(sha256);
    return small !== null && sha256Of(small) === sha256;
  };
  const checkCommands = (rows: Rows, id: string, results: readonly ResultLine[]) => {
    const next = rows.commands(id);
    const known = new Map(commands.get(id)?.map((line) => [line.idx, line]));
    for (const line of next) {
      const before = known.get(line.idx);
      if (before !== undefined && before.status === line.status) continue;
      const isFinal = before?.status === 'Completed' || before?.status === 'Failed';
      if (isFinal) violate(4, `command ${line.idx} of ${line.action_id} left ${before?.status} for ${line.status}`);
      if (line.status !== 'Completed') continue;
      for (const stream of OWED[line.type] ?? []) {
        const result = results.find((one) => one.idx === line.idx && one.stream === stream);
        const isThere = result?.sha256 != null && result.reported_at !== null && isKept(rows, result.sha256);
        if (!isThere) violate(5, `command ${line.idx} of ${line.action_id} is Completed without its ${stream}`);
      }
    }
    commands.set(id, next);
  };
  /** 6, as the rows have it and as the devices have it. */
  const checkSessions = () => {
    // a device that comes back with what it took counts from its word on, whatever runs (ADR 0021); one that lies says so
    // of what it was never offered
    const held = [...actions.values()].filter(
      ({ id, holds_slot, machine_id }) =>
        holds_slot === 1 && !givenBack.has(id) && machine_id !== HOSTILE_KEY.machineId,
    ).length;
    if (held > io.limits.server.sessions)
      violate(6, `${held} sessions are held, ${io.limits.server.sessions} are allowed`);
    for (const device of io.devices())
      for (const { actionId } of device.running()) {
        const line = actions.get(actionId);
        const isLate = line?.run_deadline != null && io.now() >= line.run_deadline;
        if (line?.holds_slot !== 1 && !isLate)
          violate(6, `a script of ${actionId} runs on device ${device.index} and holds no session`);
      }
  };
  /** 10: what a device says of another one's actions is in no row of theirs. */
  const checkForeign = ({ id, machine_id, reason }: ActionLine, results: readonly ResultLine[]) => {
    if (machine_id === HOSTILE_KEY.machineId) return;
    const isSaid = commands
      .get(id)
      ?.some(({ exit_code, errors }) => exit_code === HOSTILE_EXIT || errors.includes(HOSTILE_TEXT));
    if (isSaid === true || reason?.includes(HOSTILE_TEXT) === true)
      violate(10, `${id} has what another device said of it`);
    if (results.some(({ sha256 }) => sha256 === HOSTILE_SHA256)) violate(10, `${id} has a result of another device`);
  };
  const noteSlot = ({ id, holds_slot, status }: ActionLine) => {
    if (status !== 'Pending') return;
    if (holds_slot === 1) givenBack.delete(id);
    else if (actions.get(id)?.holds_slot === 1) givenBack.add(id);
  };
  const look = (rows: Rows, id: string, events: readonly string[]) => {
    const line = rows.action(id);
    if (line === null) {
      if (answered.has(id)) violate(1, `${id} was answered and is gone`);
      actions.delete(id);
      commands.delete(id);
      return;
    }
    checkAction(line, events);
    const results = rows.results(id);
    checkCommands(rows, id, results);
    checkForeign(line, results);
    noteSlot(line);
    actions.set(id, line);
    if (line.holds_slot === 1) claimed.add(id);
  };
  const onDurable = (ids: readonly string[] | null) => {
    const rows = readRows(io.raw());
    const audit = rows.auditAfter(audited);
    audited = audit.at(-1)?.seq ?? audited;
    for (const id of ids ?? new Set([...actions.keys(), ...rows.actionIds()]))
      look(
        rows,
        id,
        audit.filter(({ subject }) => subject === id).map(({ event }) => event),
      );
    checkSessions();
  };
  return {
    onDurable,
    changes: () => audited,
    onBegun: (device, actionId, index) => {
      const key = `${actionId}-${index}`;
      const times = (begun.get(key) ?? 0) + 1;
      begun.set(key, times);
      if (times > 1) violate(2, `command ${index} of ${actionId} was begun ${times} times on device ${device}`);
      checkSessions();
    },
    onAnswered: (actionId) => {
      answered.add(actionId);
      if (!actions.has(actionId)) violate(1, `${actionId} was answered before it was in the store`);
    },
    isIdle: () => [...actions.values()].every(({ status, holds_slot }) => FINAL.has(status) && holds_slot === 0),
    violation: () => violation,
    violate,
    onRead: (actionId, status) => {
      const now = actions.get(actionId)?.status ?? 'missing';
      const isAhead = (FINAL.has(status) && !FINAL.has(now)) || (status === 'InProgress' && now === 'Pending');
      if (isAhead) violate(1, `${actionId} was told to be ${status}, and on the disk it is ${now}`);
    },
    wasClaimed: (actionId) => claimed.has(actionId),
    actions: () => actions,
    commandsOf: (actionId) => commands.get(actionId) ?? [],
  };
};
