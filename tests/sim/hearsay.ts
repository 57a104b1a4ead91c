/**
 * What the server tells a device has to be on the server's disk by then: an offer, a cancel and an acknowledgement are
 * taken as true by the device, which cannot take them back when a power cut takes back the commit (invariant 1). Whoever
 * sends a device's request once more gets nothing by it (invariant 10).
 */
import type { Fact } from '@longarm/contract/wire/to-server';
import type { Watch } from './invariants.ts';

/** Whoever listens at the wire between one device and the server. */
export type Hearsay = {
  /** The server sends this. */
  readonly toDevice: (frame: string) => void;
  /** The device sends this. */
  readonly toServer: (frame: string) => void;
  /** How the server answered a request that it had been sent before, by whoever listens. */
  readonly replayed: (request: string, status: number) => void;
};

type Told = { readonly actionId: string; readonly sequence: number };
type Said = { readonly sequence: number; readonly fact: Fact };

const FINAL = new Set(['Succeeded', 'Failed', 'TimeOut', 'Cancelled']);

/** Of a ticket that is over, of a proof that was shown before, of a fault of the server's own; nothing else says that nothing was done. */
const REFUSED = new Set([401, 403, 425, 429, 500, 503]);

/** Both sides of these worlds say the type first. */
const isOf = (frame: string, type: string): boolean => frame.startsWith(`{"type":"${type}"`);

export const hearsay = (watch: Watch, machineId: string): Hearsay => {
  /** Reports that were sent and not acknowledged. */
  const said = new Map<number, Fact>();

  /** Null when the rows have it, or need not. */
  const missing = (fact: Fact): string | null => {
    const line = watch.actions().get(fact.actionId);
    // what became final without the device is not changed by what it tells
    if (line === undefined || line.machine_id !== machineId || FINAL.has(line.status)) return null;
    if (fact.kind === 'action-ended' || fact.kind === 'refused') return line.status;
    if (fact.kind === 'accepted') return line.status === 'Pending' ? line.status : null;
    if (fact.kind !== 'command-finished') return null;
    const { status = 'missing' } = watch.commandsOf(fact.actionId).find(({ idx }) => idx === fact.index) ?? {};
    return status === 'Completed' || status === 'Failed' ? null : status;
  };
  const checkAcknowledged = (sequence: number) => {
    for (const [number, fact] of [...said]) {
      if (number > sequence) continue;
      said.delete(number);
      const status = missing(fact);
      if (status !== null)
        watch.violate(1, `${fact.kind} of ${fact.actionId} was acknowledged, and on the disk it is ${status}`);
    }
  };
  return {
    replayed: (request, status) => {
      if (!REFUSED.has(status)) watch.violate(10, `${request} was sent again by a stranger, and answered ${status}`);
    },
    toServer: (frame) => {
      if (!isOf(frame, 'report')) return;
      const { sequence, fact }: Said = JSON.parse(frame);
      said.set(sequence, fact);
    },
    toDevice: (frame) => {
      const [isOffer, isCancel] = [isOf(frame, 'offer'), isOf(frame, 'cancel')];
      if (!isOffer && !isCancel && !isOf(frame, 'acknowledge')) return;
      const { actionId, sequence }: Told = JSON.parse(frame);
      if (isOffer && !watch.wasClaimed(actionId))
        watch.violate(1, `${actionId} was offered before its session was on the disk`);
      else if (isCancel && !FINAL.has(watch.actions().get(actionId)?.status ?? 'missing'))
        watch.violate(1, `a cancel of ${actionId} was told before it was on the disk`);
      else if (!isOffer && !isCancel) checkAcknowledged(sequence);
    },
  };
};
