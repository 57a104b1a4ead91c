/** One connection of a simulated agent, from dialing to its end. */
import { FRAME_TO_AGENT_BYTES } from '@longarm/contract/limits';
import { decodeFrame } from '@longarm/contract/wire/codec';
import { AGENT_PATHS, connectProofText, PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { Agent } from '../agent/agent.ts';
import { asleepSeconds } from '../agent/behaviour.ts';
import type { FleetIo } from '../agent/fleet-io.ts';
import { resendOwed, sendFrame } from '../agent/outbox.ts';
import { countFailure } from '../agent/tally.ts';
import { agentFacts } from '../identity/agent-facts.ts';
import { agentKey } from '../identity/agent-key.ts';
import { addressOf } from './address-of.ts';

/** How a frame about work is handled; handed in, since work speaks through the link. */
export type OnWorkFrame = (io: FleetIo, agent: Agent, frame: FrameToAgent) => boolean;

type Welcome = Extract<FrameToAgent, { type: 'welcome' }>;

/** A handshake may take this long, milliseconds; also the real agent's bound. */
const HANDSHAKE_MS = 30_000;
/** Backoff of the protocol: full jitter from half a second, doubling to a minute. */
const BACKOFF_MS = 500;
const BACKOFF_CAP_MS = 60_000;

const prove = (io: FleetIo, agent: Agent, nonce: string) => {
  const { machineId, signText } = agentKey(io.seed, agent.index);
  const proof = signText(connectProofText({ nonce, machineId, audience: io.audience }));
  const journaled = agent.work === null ? [] : [agent.work.actionId];
  const facts = agentFacts(agent.index);
  const shown = agent.generation === null ? {} : { generation: agent.generation };
  sendFrame(agent, { type: 'prove', protocol: PROTOCOL_VERSION, machineId, proof, facts, journaled, ...shown });
};

export const nextBeatMs = (io: FleetIo, agent: Agent): number =>
  io.monotonic() + agent.beatMs * (0.9 + 0.2 * io.random());

/** A real device has it on its disk before it says so. */
const keepGeneration = (agent: Agent, generation: string) => {
  agent.generation = generation;
  sendFrame(agent, { type: 'generation-kept' });
};

const welcome = (io: FleetIo, agent: Agent, { heartbeatSeconds, generation }: Welcome) => {
  const { tally, behaviour } = io;
  agent.phase = 'connected';
  agent.failures = 0;
  agent.stayAwaySeconds = 0;
  agent.beatMs = heartbeatSeconds * 1_000;
  agent.dueAt = nextBeatMs(io, agent);
  if (behaviour.asleep > 0) agent.sleepsAt = io.monotonic() + behaviour['awake-seconds'] * 1_000 * (0.5 + io.random());
  tally.connected++;
  tally.welcomes++;
  tally.connectMs.push(io.monotonic() - agent.wantedAt);
  if (generation !== undefined) keepGeneration(agent, generation);
  resendOwed(agent);
};

const onFrame = (io: FleetIo, agent: Agent, frame: FrameToAgent) => {
  switch (frame.type) {
    case 'hello':
      agent.aheadMs = frame.serverTime - io.now();
      return prove(io, agent, frame.nonce);
    case 'welcome':
      return welcome(io, agent, frame);
    case 'goodbye':
      countFailure(io.tally, `goodbye: ${frame.reason}`);
      agent.stayAwaySeconds = frame.retryAfterSeconds;
      return end(io, agent, null);
    default:
      return;
  }
};

const leave = (io: FleetIo, agent: Agent): WebSocket | null => {
  const { socket } = agent;
  if (agent.phase === 'connected') {
    io.tally.connected--;
    agent.wantedAt = io.monotonic();
  }
  agent.phase = 'away';
  agent.socket = null;
  agent.sleepsAt = Number.POSITIVE_INFINITY;
  return socket;
};

/** The connection is over, with or without a fault; the agent stays away as the protocol says. */
export const end = (io: FleetIo, agent: Agent, fault: string | null): void => {
  if (agent.phase === 'away') return;
  const socket = leave(io, agent);
  if (fault !== null) countFailure(io.tally, fault);
  agent.failures++;
  const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_MS * 2 ** (agent.failures - 1));
  agent.dueAt = io.monotonic() + agent.stayAwaySeconds * 1_000 + io.random() * ceiling;
  agent.stayAwaySeconds = 0;
  socket?.close();
};

/** The device goes to sleep, and wakes when the behaviour says so. */
export const fallAsleep = (io: FleetIo, agent: Agent): void => {
  const socket = leave(io, agent);
  agent.dueAt = io.monotonic() + asleepSeconds(io.behaviour) * 1_000 * (0.5 + io.random());
  agent.wantedAt = agent.dueAt;
  socket?.close();
};

const faultOf = (event: Event): string => {
  const message = 'message' in event && typeof event.message === 'string' ? event.message : '';
  return `connect: ${message.replace(/^WebSocket connection to '[^']*' failed: /, '').trim() || 'the connection broke'}`;
};

/** `url` is `ws:` or `wss:`. */
export const dial = (io: FleetIo, agent: Agent, onWork: OnWorkFrame): void => {
  const server = addressOf(io.server, agent.index, io.addresses);
  const socket = new WebSocket(server.replace(/^http/, 'ws') + AGENT_PATHS.connect, io.trust);
  agent.socket = socket;
  agent.phase = 'dialing';
  agent.dueAt = io.monotonic() + HANDSHAKE_MS;
  const isCurrent = () => agent.socket === socket;
  socket.onmessage = ({ data }) => {
    if (!isCurrent()) return;
    agent.heardAt = io.monotonic();
    const decoded = decodeFrame(FrameToAgent, String(data), FRAME_TO_AGENT_BYTES);
    if (!decoded.ok) return end(io, agent, decoded.fault);
    if (!onWork(io, agent, decoded.value)) onFrame(io, agent, decoded.value);
  };
  socket.onerror = (event) => {
    if (isCurrent()) end(io, agent, faultOf(event));
  };
  socket.onclose = () => {
    if (isCurrent()) end(io, agent, 'the connection was closed');
  };
};
