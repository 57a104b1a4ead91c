/** The one clock of a process of the fleet: at each pulse every agent whose moment has come does what is due. */
import type { Agent } from '../agent/agent.ts';
import type { FleetIo } from '../agent/fleet-io.ts';
import { sendFrame } from '../agent/outbox.ts';
import { dial, end, fallAsleep, nextBeatMs, type OnWorkFrame } from './connection.ts';

/** Milliseconds between two pulses; start one timer with it for the process. */
export const PULSE_MS = 50;
/** So many heartbeats without a word mean that nobody is there. */
const SILENT_HEARTBEATS = 2;

const beat = (io: FleetIo, agent: Agent) => {
  if (io.monotonic() - agent.heardAt > SILENT_HEARTBEATS * agent.beatMs)
    return end(io, agent, 'the server is silent: nothing came for two heartbeats');
  sendFrame(agent, { type: 'heartbeat' });
  agent.dueAt = nextBeatMs(io, agent);
};

export const pulse = (io: FleetIo, agents: readonly Agent[], onWork: OnWorkFrame): void => {
  const now = io.monotonic();
  for (const agent of agents) {
    // one that works stays awake until it has told so
    if (now >= agent.sleepsAt && agent.work === null && agent.owed === null) fallAsleep(io, agent);
    if (now < agent.dueAt) continue;
    if (agent.phase === 'away') dial(io, agent, onWork);
    else if (agent.phase === 'dialing') end(io, agent, 'no welcome within half a minute');
    else beat(io, agent);
  }
};
