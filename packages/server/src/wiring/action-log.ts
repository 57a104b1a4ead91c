/**
 * One line for each thing that becomes of an action, with its id, its machine's and the request's: what a log is
 * searched by. Never a comment, an argument, a name of a person or a file: the audit has those, and who may read it is
 * another question.
 */
import type { ActionStore } from '../actions/ports.ts';
import type { Log } from '../telemetry/log.ts';

type ActionLog = Pick<Log, 'debug' | 'info'>;

const indexOf = (fact: object): { readonly index?: number } =>
  'index' in fact && typeof fact.index === 'number' ? { index: fact.index } : {};

export const loggedActions = (log: ActionLog, actions: ActionStore): ActionStore => ({
  ...actions,
  request: async (asked) => {
    const outcome = await actions.request(asked);
    const { machineId, origin } = asked;
    const { requestId } = origin;
    if (outcome.kind === 'accepted') {
      const { id: actionId } = outcome.action;
      log.info({ actionId, machineId, requestId, commands: asked.commands.length }, 'action requested');
      if (outcome.claim !== null) log.debug({ actionId, machineId }, 'action claimed');
    } else log.debug({ machineId, requestId, outcome: outcome.kind }, 'action not accepted');
    return outcome;
  },
  claimNext: async (terms) => {
    const outcome = await actions.claimNext(terms);
    const { machineId } = terms;
    if (outcome.kind === 'claimed') log.debug({ actionId: outcome.claim.actionId, machineId }, 'action claimed');
    return outcome;
  },
  record: async (reported) => {
    const outcomes = await actions.record(reported);
    const { machineId } = reported;
    for (const [place, outcome] of outcomes.entries()) {
      const fact = reported.reports[place]?.fact;
      if (fact === undefined) continue;
      const about = { actionId: fact.actionId, machineId, fact: fact.kind, ...indexOf(fact), outcome: outcome.kind };
      log.debug(about, 'device reported');
    }
    return outcomes;
  },
  cancel: async (asked) => {
    const outcome = await actions.cancel(asked);
    if (outcome.kind === 'cancelled')
      log.info(
        { actionId: asked.actionId, machineId: outcome.action.machineId, requestId: asked.origin.requestId },
        'action cancelled',
      );
    return outcome;
  },
  expireOverdue: async (now, limit) => {
    const expired = await actions.expireOverdue(now, limit);
    for (const { actionId, machineId } of expired) log.info({ actionId, machineId }, 'action timed out');
    return expired;
  },
  reconcile: async (device) => {
    const settled = await actions.reconcile(device);
    const { machineId } = device;
    for (const actionId of settled.changed) log.info({ actionId, machineId }, 'action lost by its device');
    return settled;
  },
});
