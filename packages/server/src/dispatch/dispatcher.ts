/**
 * Moves work at its own pace: on a hint at once, otherwise at each tick, it claims the next action of a connected
 * machine and offers it. It never waits for a device's answer; what is lost on the way is offered again when its
 * lease has run out.
 */
import type { MachineId } from '@longarm/contract/ids';
import type { Limits } from '@longarm/contract/limits';
import type { ActionStore, AgentLink, Clock, OfferAtOnce } from '../actions/ports.ts';

/** Machines served in one tick. */
const MACHINES_PER_TICK = 1_000;

type DispatchIo = {
  readonly actions: Pick<ActionStore, 'claimNext' | 'machinesToServe' | 'unconfirmedCancels'>;
  readonly link: AgentLink;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Spends one offer of the rate; false past it: the machine is served by a later tick. */
  readonly mayOffer: () => boolean;
  /** A claim or a tick that failed: logged, and made up for by the next tick. */
  readonly onFault: (fault: unknown, machineId?: MachineId) => void;
};

export type Dispatcher = OfferAtOnce & {
  /** A hint that this machine may have something to do. */
  readonly wake: (machineId: MachineId) => void;
  /** Serves every machine that waits, and repeats cancels that no device has confirmed. */
  readonly tick: () => Promise<void>;
  /** A hint that a session ended, so that somebody may have a slot now. */
  readonly sessionEnded: () => void;
};

export const dispatcher = (io: DispatchIo): Dispatcher => {
  /** Machines being served now; true when a further hint came meanwhile. */
  const serving = new Map<MachineId, boolean>();

  const leaseMs = io.limits['lease-seconds'] * 1_000;
  /** Somebody found no free session: whoever ends one lets others look again. */
  let isShort = false;

  const serveOnce = async (machineId: MachineId) => {
    if (!io.link.isReady(machineId) || !io.mayOffer()) return;
    const { sessions: maxSessions } = io.limits;
    const outcome = await io.actions.claimNext({ machineId, now: io.clock.now(), leaseMs, maxSessions });
    if (outcome.kind === 'sessions-full') isShort = true;
    else if (outcome.kind === 'claimed') io.link.offer(machineId, outcome.claim);
  };

  const serve = async (machineId: MachineId): Promise<void> => {
    if (serving.has(machineId)) {
      serving.set(machineId, true);
      return;
    }
    serving.set(machineId, false);
    try {
      await serveOnce(machineId);
    } catch (fault) {
      io.onFault(fault, machineId);
    }
    const again = serving.get(machineId) === true;
    serving.delete(machineId);
    if (again) await serve(machineId);
  };

  const serveWaiting = async () => {
    const machines = await io.actions.machinesToServe(io.clock.now(), MACHINES_PER_TICK);
    await Promise.all(machines.map(serve));
  };

  const repeatCancels = async () => {
    for (const { machineId, actionId, reason } of await io.actions.unconfirmedCancels(MACHINES_PER_TICK)) {
      io.link.cancel(machineId, { actionId, reason });
    }
  };

  let passing = false;
  /** One pass over those who wait, however many sessions end meanwhile. */
  const pass = async () => {
    if (passing || !isShort) return;
    passing = true;
    isShort = false;
    await serveWaiting().catch((fault) => io.onFault(fault));
    passing = false;
  };

  return {
    claimFor: (machineId) => (io.link.isReady(machineId) && io.mayOffer() ? { leaseMs } : null),
    offer: (machineId, claim) => void io.link.offer(machineId, claim),
    wake: (machineId) => void serve(machineId),
    tick: async () => {
      await serveWaiting();
      await repeatCancels();
    },
    sessionEnded: () => void pass(),
  };
};
