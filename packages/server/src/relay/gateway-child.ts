import type { GatewayOrder } from './orders.ts';

/** A gateway process, as far as its parent needs it. */
export type GatewayChild = {
  readonly pid: number;
  readonly tell: (order: GatewayOrder) => void;
  /** Ends it at once. */
  readonly kill: () => void;
  /** Resolves when it has ended, to how: its code or signal, and what it said last. */
  readonly ended: Promise<string>;
};
