/** The wiring of what bounds devices and strangers. */
import type { EpochMs } from '@longarm/contract/instant';
import type { Limits } from '@longarm/contract/limits';
import { deviceBudgets } from '../limits/device-budget.ts';
import { strangers } from '../limits/strangers.ts';

export const deviceGuards = (io: { readonly limits: Limits; readonly now: () => EpochMs }) => {
  const { limits, now } = io;
  const budgets = deviceBudgets({ limits, now });
  const unproven = strangers({ limits, now });
  const forget = () => {
    budgets.forget();
    unproven.forget();
  };
  return { budgets, strangers: unproven, forget };
};
