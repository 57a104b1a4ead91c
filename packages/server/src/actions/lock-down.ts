/**
 * Lockdown: nothing new is accepted or dispatched, and whatever waits or runs is cancelled, until it is lifted. It is
 * kept in the store, so that neither a restart nor a crash ends it; evidence of what ran is still received.
 */
import type { TenantId } from '@longarm/contract/ids';
import type { LockdownState, LockdownStore } from './lockdown-ports.ts';
import type { AgentLink, Clock, Hints } from './ports.ts';

/** Actions cancelled in one unit of work, so that none is long. */
const ACTIONS_PER_UNIT = 200;

type LockdownIo = {
  readonly lockdown: LockdownStore;
  readonly link: Pick<AgentLink, 'cancel'>;
  readonly hints: Pick<Hints, 'actionChanged' | 'sessionEnded'>;
  readonly clock: Clock;
};

type By = { readonly tenantId: TenantId; readonly actor: string };

export type Lockdown = {
  readonly state: () => Promise<LockdownState | null>;
  /** How many actions it cancelled; locking twice is locking once. */
  readonly on: (by: By & { readonly reason: string }) => Promise<number>;
  /** False when there was none. */
  readonly off: (by: By) => Promise<boolean>;
  /** Ends what a crash left unfinished of a lockdown; returns the lockdown. */
  readonly resume: () => Promise<LockdownState | null>;
};

const cancelAll = async (io: LockdownIo, state: LockdownState): Promise<number> => {
  const comment = `lockdown: ${state.reason}`;
  let cancelled = 0;
  for (;;) {
    const by = { actor: state.actor, now: io.clock.now(), comment, limit: ACTIONS_PER_UNIT };
    const actions = await io.lockdown.cancelUnfinished(by);
    for (const action of actions) {
      if (action.cancellation?.state !== 'Effective')
        io.link.cancel(action.machineId, { actionId: action.id, reason: action.reason ?? comment });
      io.hints.actionChanged(action.id);
    }
    cancelled += actions.length;
    if (actions.length < ACTIONS_PER_UNIT) break;
  }
  if (cancelled > 0) io.hints.sessionEnded();
  return cancelled;
};

export const lockdown = (io: LockdownIo): Lockdown => ({
  state: io.lockdown.state,
  on: async (by) => {
    await io.lockdown.lock({ ...by, now: io.clock.now() });
    const state = await io.lockdown.state();
    return state === null ? 0 : cancelAll(io, state);
  },
  off: (by) => io.lockdown.lift({ ...by, now: io.clock.now() }),
  resume: async () => {
    const state = await io.lockdown.state();
    if (state !== null) await cancelAll(io, state);
    return state;
  },
});
