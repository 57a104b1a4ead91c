/** What the engine does by the clock, and how often. */
import { expireOverdue } from '../actions/expire-overdue.ts';
import { retireResults } from '../actions/retire-results.ts';
import type { Chore } from '../dispatch/sweeper.ts';
import type { Engine } from './engine.ts';

const MINUTE_MS = 60_000;
/** A device that is silent for this many heartbeats is gone. */
const SILENT_HEARTBEATS = 2.5;
/** How often the engine looks for what a lost hint left waiting, and for what is overdue. */
const TICK_MS = 500;

/** How often devices are told of a new authority, and how many at once: each of them writes and answers. */
const TRUST = { everyMs: 1_000, devices: 200 } as const;

const tellTrust = async ({ announce, sessions }: Engine): Promise<void> => {
  const announcement = announce();
  if (announcement !== null) sessions.tellTrust(announcement, TRUST.devices);
};

const forget = ({ guards }: Engine, forgetCalls: () => void) => {
  guards.forget();
  forgetCalls();
};

export const chores = (engine: Engine, forgetCalls: () => void): readonly Chore[] => {
  const { store, hints, clock, sessions, limits, now } = engine;
  const heartbeatMs = limits['heartbeat-seconds'] * 1_000;
  const handshakeMs = limits['handshake-seconds'] * 1_000;
  return [
    { name: 'dispatch', everyMs: TICK_MS, run: engine.engine.tick },
    { name: 'expire', everyMs: TICK_MS, run: expireOverdue({ actions: store.actions, link: sessions, hints, clock }) },
    {
      name: 'silence',
      everyMs: Math.min(heartbeatMs / 2, 10_000),
      run: async () => sessions.closeSilent(now() - SILENT_HEARTBEATS * heartbeatMs),
    },
    {
      name: 'handshakes',
      everyMs: Math.min(handshakeMs / 2, 10_000),
      run: async () => sessions.dismissStrangers(now() - handshakeMs),
    },
    { name: 'presence', everyMs: MINUTE_MS, run: () => store.machines.seen(sessions.connectedMachines(), now()) },
    { name: 'trust', everyMs: TRUST.everyMs, run: () => tellTrust(engine) },
    { name: 'audit tally', everyMs: MINUTE_MS, run: engine.writeTallied },
    { name: 'call rates', everyMs: 10 * MINUTE_MS, run: async () => forget(engine, forgetCalls) },
    { name: 'proofs', everyMs: MINUTE_MS, run: async () => engine.proofs.forget() },
    {
      name: 'retention',
      everyMs: 15 * MINUTE_MS,
      run: retireResults({ results: store.results, blobs: engine.blobs, clock, limits }),
    },
  ];
};
