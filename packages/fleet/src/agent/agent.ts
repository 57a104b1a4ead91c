/**
 * What a fleet keeps of one simulated agent. Small on purpose: no key, no timer, no queue before there is work. All
 * that time does to an agent is one moment, `dueAt`, which the fleet's one pulse looks at.
 *
 *   away ─dial→ dialing ─welcome→ connected
 *     ↑            └── time-out ──┬── closed, silent, goodbye, falls asleep
 *     └───────────────────────────┘
 */
import type { ActionId } from '@longarm/contract/ids';
import type { Report } from '@longarm/contract/wire/to-server';

export type Work = {
  readonly actionId: ActionId;
  ticket: string;
  isCancelled: boolean;
  readonly offeredAt: number;
};

export type Agent = {
  readonly index: number;
  phase: 'away' | 'dialing' | 'connected';
  socket: WebSocket | null;
  /** When something is to happen by itself, milliseconds: dial, give up, beat. */
  dueAt: number;
  /** Nothing was heard since, milliseconds. */
  heardAt: number;
  /** When the agent began to want this connection. */
  wantedAt: number;
  /** When an agent that is awake by turns falls asleep. */
  sleepsAt: number;
  failures: number;
  /** Server time less this process's own, milliseconds. */
  aheadMs: number;
  /** Asked by the server, seconds. */
  stayAwaySeconds: number;
  beatMs: number;
  sequence: number;
  /** Highest envelope counter taken, with its epoch. */
  epoch: number;
  counter: number;
  /** What the server handed it last, by which it tells a copy of the device (ADR 0017). */
  generation: string | null;
  work: Work | null;
  /** Reports that are not acknowledged; null while nothing is owed. */
  owed: Report[] | null;
};

export const newAgent = (index: number, dueAt: number): Agent => ({
  index,
  phase: 'away',
  socket: null,
  dueAt,
  heardAt: 0,
  wantedAt: dueAt,
  sleepsAt: Number.POSITIVE_INFINITY,
  failures: 0,
  aheadMs: 0,
  stayAwaySeconds: 0,
  beatMs: 30_000,
  sequence: 0,
  epoch: -1,
  counter: 0,
  generation: null,
  work: null,
  owed: null,
});
