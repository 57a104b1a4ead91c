/** The wiring of lockdown. */
import { lockdown } from '../actions/lock-down.ts';
import type { Log } from '../telemetry/log.ts';
import type { Engine } from './engine.ts';

export const lockdownOf = ({ store, sessions, hints, clock }: Engine) =>
  lockdown({ lockdown: store.lockdown, link: sessions, hints, clock });

/** A server that starts in lockdown says so, and ends what a crash left unfinished of it. */
export const resumeLockdown = async (engine: Engine, log: Log): Promise<void> => {
  const state = await lockdownOf(engine).resume();
  if (state === null) return;
  const { actor, reason } = state;
  const since = new Date(state.since).toISOString();
  log.warn({ since, actor, reason }, 'LOCKDOWN is on: nothing is accepted or dispatched until `longarm lockdown off`');
};
