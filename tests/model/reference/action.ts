/**
 * The reference of one action's life, written from docs/semantics.md (1 to 7) and from nothing of the server's: what
 * is decided there in one pure function is here a handful of plain changes.
 */
export type Kind = 'PutFile' | 'RunScript' | 'GetFile';
type CommandStatus = 'Created' | 'Executing' | 'Completed' | 'Failed';
export type Status = 'Pending' | 'InProgress' | 'Succeeded' | 'Failed' | 'TimeOut' | 'Cancelled';

export type ReferenceCommand = {
  readonly kind: Kind;
  status: CommandStatus;
  exitCode: number | null;
  /** What its result link gives; null where there is none. */
  output: string | null;
  /** What its device said of its end; null while it has not. */
  told: 'Completed' | 'Failed' | null;
};

export type ReferenceAction = {
  readonly id: string;
  readonly machine: number;
  readonly requestor: string;
  readonly comment: string;
  readonly queueDeadline: number;
  readonly runMs: number;
  readonly commands: readonly ReferenceCommand[];
  status: Status;
  /** A device may have it. */
  offered: boolean;
  holdsSlot: boolean;
  runDeadline: number | null;
  leaseUntil: number | null;
  cancellation: 'Requested' | 'Acknowledged' | 'Effective' | null;
};

export const isOpen = ({ status }: ReferenceAction): boolean => status === 'Pending' || status === 'InProgress';

const nextCommand = (action: ReferenceAction): ReferenceCommand | undefined =>
  action.commands.find(({ status }) => status === 'Created' || status === 'Executing');

/** It ends otherwise than by success: its first unfinished command fails, the later ones stay (semantics 6). */
export const endBadly = (action: ReferenceAction, status: 'Failed' | 'TimeOut' | 'Cancelled'): void => {
  const next = nextCommand(action);
  if (next !== undefined) next.status = 'Failed';
  action.status = status;
  action.holdsSlot = false;
};

/** Final at once; in effect when no device can have it, else when its device says so (semantics 5). */
export const cancel = (action: ReferenceAction): void => {
  const { holdsSlot, offered } = action;
  endBadly(action, 'Cancelled');
  action.holdsSlot = offered && holdsSlot;
  action.cancellation = offered ? 'Requested' : 'Effective';
};

/** Nothing of it runs on its device any more, and it did not finish, unless it had ended before. */
export const overOnDevice = (action: ReferenceAction): void => {
  if (isOpen(action)) endBadly(action, 'Failed');
  if (action.cancellation === null || action.cancellation === 'Effective') return;
  action.cancellation = 'Effective';
  action.holdsSlot = false;
};

export const cancelHeard = (action: ReferenceAction): void => {
  if (!isOpen(action) && action.cancellation === 'Requested') action.cancellation = 'Acknowledged';
};

export const accept = (action: ReferenceAction, now: number): void => {
  if (action.status !== 'Pending') return;
  action.status = 'InProgress';
  action.holdsSlot = true;
  action.runDeadline = now + action.runMs;
};

export const startCommand = (action: ReferenceAction, index: number): void => {
  const command = action.commands[index];
  if (isOpen(action) && command?.status === 'Created') command.status = 'Executing';
};

export type Finish = {
  readonly index: number;
  readonly outcome: 'Completed' | 'Failed';
  readonly exitCode: number | null;
  readonly output: string | null;
};

/** What comes after the end changes no state, and its evidence is kept all the same. */
export const finishCommand = (action: ReferenceAction, finish: Finish): void => {
  const command = action.commands[finish.index];
  if (command === undefined) throw new Error(`the reference has no command ${finish.index} in ${action.id}`);
  command.output ??= finish.output;
  command.told = finish.outcome;
  if (!isOpen(action)) return;
  command.status = finish.outcome;
  command.exitCode = finish.exitCode;
  if (finish.outcome === 'Failed') action.status = 'Failed';
  else if (action.commands.every(({ status }) => status === 'Completed')) action.status = 'Succeeded';
  if (!isOpen(action)) action.holdsSlot = false;
};
