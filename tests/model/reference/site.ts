/** The reference of a whole site: machines, library, actions, sessions, and who is offered what when. */
import { cancel, endBadly, isOpen, overOnDevice, type ReferenceAction, type ReferenceCommand } from './action.ts';

export const LIMITS = { sessions: 2, queueMs: 720_000, leaseMs: 30_000, graceMs: 60_000 } as const;
/** Milliseconds that a command of each kind may take. */
export const COMMAND_MS = { RunScript: 60_000, PutFile: 120_000, GetFile: 120_000 } as const;

export type ReferenceMachine = {
  online: boolean;
  readonly tags: Set<string>;
  /** Accepted by the device, and not ended there. */
  readonly held: Set<string>;
  /** On this connection, and not answered. */
  readonly offers: Set<string>;
};

export type Offer = { readonly machine: number; readonly actionId: string };

export class ReferenceSite {
  now: number;
  readonly began: number;
  readonly library = new Map<string, string>();
  /** In the order of their requests. */
  readonly actions: ReferenceAction[] = [];
  readonly machines: readonly ReferenceMachine[];
  /** What each caller's Idempotency-Key was used for. */
  readonly keys = new Map<string, { readonly body: string; readonly actionId: string }>();
  /** Offers that must arrive before anything else happens. */
  #due: Offer[] = [];

  constructor(machines: number, now: number) {
    this.now = now;
    this.began = now;
    const none = (): ReferenceMachine => ({ online: false, tags: new Set(), held: new Set(), offers: new Set() });
    this.machines = Array.from({ length: machines }, none);
  }

  machine(index: number): ReferenceMachine {
    const machine = this.machines[index];
    if (machine === undefined) throw new Error(`the reference has no machine ${index}`);
    return machine;
  }

  action(id: string): ReferenceAction {
    const action = this.actions.find((one) => one.id === id);
    if (action === undefined) throw new Error(`the reference has no action ${id}`);
    return action;
  }

  of(machine: number): readonly ReferenceAction[] {
    return this.actions.filter((action) => action.machine === machine);
  }

  sessions(): number {
    return this.actions.filter(({ holdsSlot }) => holdsSlot).length;
  }

  takeOffers(): readonly Offer[] {
    const due = this.#due;
    this.#due = [];
    return due;
  }

  request(
    action: Pick<ReferenceAction, 'id' | 'machine' | 'requestor' | 'comment'>,
    commands: readonly ReferenceCommand[],
  ) {
    this.actions.push({
      ...action,
      commands,
      status: 'Pending',
      offered: false,
      holdsSlot: this.machine(action.machine).online,
      queueDeadline: this.now + LIMITS.queueMs,
      runMs: commands.reduce<number>((sum, { kind }) => sum + COMMAND_MS[kind], LIMITS.graceMs),
      runDeadline: null,
      leaseUntil: null,
      cancellation: null,
    });
    this.serve(action.machine);
  }

  /** The machine's first action that is not over is offered, where nothing stands in the way. */
  serve(index: number): void {
    const machine = this.machine(index);
    if (!machine.online || machine.held.size > 0) return;
    const first = this.of(index).find((action) => isOpen(action) || action.holdsSlot);
    if (first?.status !== 'Pending' || (first.leaseUntil ?? 0) > this.now || first.queueDeadline <= this.now) return;
    if (!first.holdsSlot && this.sessions() >= LIMITS.sessions) return;
    first.runDeadline = (first.holdsSlot ? first.runDeadline : null) ?? this.now + first.runMs;
    first.leaseUntil = this.now + LIMITS.leaseMs;
    first.holdsSlot = true;
    first.offered = true;
    machine.offers.add(first.id);
    this.#due.push({ machine: index, actionId: first.id });
  }

  /** Whoever waits is served, the longest first. */
  serveAll(): void {
    const waiting = this.actions.filter(
      ({ status, leaseUntil }) => status === 'Pending' && (leaseUntil ?? 0) <= this.now,
    );
    for (const index of new Set(waiting.map(({ machine }) => machine))) this.serve(index);
  }

  /** A session of this machine may have ended. */
  sessionEnded(index: number): void {
    this.serve(index);
    this.serveAll();
  }

  /** What a caller's cancel changes; one that has ended already is answered as it is. */
  cancel(action: ReferenceAction): void {
    if (!isOpen(action)) return;
    cancel(action);
    this.sessionEnded(action.machine);
  }

  connect(index: number, journal: 'kept' | 'lost'): void {
    const machine = this.machine(index);
    machine.online = true;
    machine.offers.clear();
    if (journal === 'lost') machine.held.clear();
    const lost = this.of(index).filter(
      (action) =>
        !machine.held.has(action.id) && (action.status === 'InProgress' || (!isOpen(action) && action.holdsSlot)),
    );
    for (const action of lost) overOnDevice(action);
    // offers on the connection before will never arrive
    for (const action of this.of(index)) if (action.status === 'Pending') action.leaseUntil = null;
    this.serve(index);
    if (lost.length > 0) this.serveAll();
  }

  disconnect(index: number): void {
    const machine = this.machine(index);
    machine.online = false;
    machine.offers.clear();
  }

  /** Deadlines, slots that nothing uses any more, and a round of the dispatcher. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const action of this.actions) {
      const deadline = action.status === 'Pending' ? action.queueDeadline : action.runDeadline;
      if (isOpen(action) && (deadline ?? Number.POSITIVE_INFINITY) <= this.now) endBadly(action, 'TimeOut');
    }
    for (const action of this.actions) if (action.holdsSlot && this.#isIdle(action)) action.holdsSlot = false;
    this.serveAll();
  }

  #isIdle(action: ReferenceAction): boolean {
    const isPast = action.runDeadline !== null && action.runDeadline <= this.now;
    if (!isOpen(action)) return isPast;
    return action.status === 'Pending' && !this.machine(action.machine).online && (!action.offered || isPast);
  }
}
