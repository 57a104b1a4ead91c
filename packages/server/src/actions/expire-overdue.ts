/** Ends what is past its deadline, and tells those devices that may still be at it. */
import type { ActionStore, AgentLink, Clock, Hints } from './ports.ts';

/** Actions ended in one unit of work, so that none is long. */
const ACTIONS_PER_UNIT = 200;

type ExpireIo = {
  readonly actions: Pick<ActionStore, 'expireOverdue'>;
  readonly link: Pick<AgentLink, 'cancel'>;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged' | 'sessionEnded'>;
  readonly clock: Clock;
};

/** Resolves to how many ended. */
export const expireOverdue = (io: ExpireIo) => async (): Promise<number> => {
  const expired = await io.actions.expireOverdue(io.clock.now(), ACTIONS_PER_UNIT);
  for (const { actionId, machineId, reason } of expired) {
    io.link.cancel(machineId, { actionId, reason });
    io.hints.actionChanged(actionId);
    io.hints.wake(machineId);
  }
  if (expired.length > 0) io.hints.sessionEnded();
  return expired.length;
};
