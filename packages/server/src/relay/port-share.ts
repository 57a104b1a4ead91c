/**
 * Who of the gateways takes new connections. The system spreads them over all that listen, also to those that can hold no
 * more: of a fleet that has lost one of three gateways, whoever is sent away there comes back to a full one twice out of three
 * times. So a full gateway leaves the port to those that have places; where none has any, all take, since calls of the API
 * come in by them as well.
 */
import type { GatewayChild } from './gateway-child.ts';

export type Sharer = {
  readonly process: GatewayChild;
  /** Sockets of devices that it holds. */
  readonly held: number;
  /** As many as it can hold. */
  readonly places: number;
};

/** One that has left comes back when this share of its places is free: not for each device that goes. */
const FREE_TO_RETURN = 0.02;

const hasPlace = ({ held, places }: Sharer, takes: boolean): boolean =>
  takes ? held < places : held < places - Math.ceil(places * FREE_TO_RETURN);

/** To be called again and again with those that listen. What has just started takes connections. */
export const portShare = (): ((sharers: readonly Sharer[]) => void) => {
  const left = new WeakSet<GatewayChild>();
  return (sharers) => {
    const takers = sharers.filter((sharer) => hasPlace(sharer, !left.has(sharer.process)));
    for (const sharer of sharers) {
      const { process } = sharer;
      const takes = takers.length === 0 || takers.includes(sharer);
      if (takes !== left.has(process)) continue;
      if (takes) left.delete(process);
      else left.add(process);
      process.tell({ order: 'port', takes });
    }
  };
};
