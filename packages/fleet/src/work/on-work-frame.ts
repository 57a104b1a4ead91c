/** What the server asks a simulated agent to do: taken on once, refused, or cancelled. */

import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { Agent, Work } from '../agent/agent.ts';
import type { FleetIo } from '../agent/fleet-io.ts';
import { acknowledged, resendOwed, sendFrame, tell } from '../agent/outbox.ts';
import { countFailure } from '../agent/tally.ts';
import { agentKey } from '../identity/agent-key.ts';
import { doAction, sendResults } from './do-action.ts';
import { readEnvelope } from './read-envelope.ts';

type Frame<Type extends FrameToAgent['type']> = Extract<FrameToAgent, { type: Type }>;

const refusalOf = (io: FleetIo, agent: Agent, payload: EnvelopePayload | null): string | null => {
  if (payload === null) return 'the envelope is not signed by the enrolled key';
  if (payload.machineId !== agentKey(io.seed, agent.index).machineId) return 'the envelope is for another machine';
  if (payload.tenantId !== io.tenantId) return 'the envelope is of another tenant';
  if (payload.expiresAt <= io.now()) return 'the envelope has expired';
  const isNewer = payload.epoch > agent.epoch || (payload.epoch === agent.epoch && payload.counter > agent.counter);
  return isNewer ? null : 'the envelope is older than one that was taken';
};

const onOffer = (io: FleetIo, agent: Agent, { actionId, envelope, ticket, files = [] }: Frame<'offer'>) => {
  if (agent.work?.actionId === actionId) {
    agent.work.ticket = ticket;
    return resendOwed(agent);
  }
  io.tally.offers++;
  const payload = readEnvelope(envelope, io.envelopeKey);
  const reason = refusalOf(io, agent, payload);
  if (payload === null || reason !== null) {
    countFailure(io.tally, `refused an offer: ${reason}`);
    return tell(agent, { kind: 'refused', actionId, at: io.now(), reason: reason ?? 'not understood' });
  }
  agent.epoch = payload.epoch;
  agent.counter = payload.counter;
  const work: Work = { actionId, ticket, isCancelled: false, offeredAt: io.monotonic() };
  agent.work = work;
  void doAction(io, agent, { work, payload, brought: new Set(files.map(({ sha256 }) => sha256)) });
};

const onCancel = (io: FleetIo, agent: Agent, { actionId, ticket }: Frame<'cancel'>) => {
  if (agent.work?.actionId !== actionId)
    return tell(agent, { kind: 'action-ended', actionId, at: io.now(), how: 'unknown' });
  agent.work.ticket = ticket;
  if (agent.work.isCancelled) return;
  agent.work.isCancelled = true;
  tell(agent, { kind: 'cancel-heard', actionId, at: io.now() });
};

const onAcknowledge = (io: FleetIo, agent: Agent, { sequence }: Frame<'acknowledge'>) => {
  for (const { fact } of acknowledged(agent, sequence)) {
    if (fact.kind !== 'action-ended' || agent.work?.actionId !== fact.actionId) continue;
    io.tally.ended++;
    io.tally.actionMs.push(io.monotonic() - agent.work.offeredAt);
    agent.work = null;
  }
};

const onMissing = async (io: FleetIo, agent: Agent, frame: Frame<'missing-uploads'>) => {
  const report = agent.owed?.find(({ sequence }) => sequence === frame.sequence);
  const { work } = agent;
  if (report === undefined || work === null) return;
  const type = frame.streams.includes('file') ? 'GetFile' : 'RunScript';
  try {
    await sendResults(io, { agent, work }, { index: frame.index, type });
    // what came after it waits with it
    for (const owed of agent.owed ?? []) if (owed.sequence >= frame.sequence) sendFrame(agent, owed);
  } catch (fault) {
    countFailure(io.tally, fault instanceof Error ? fault.message : String(fault));
  }
};

/** False for a frame that is about something else. */
export const onWorkFrame = (io: FleetIo, agent: Agent, frame: FrameToAgent): boolean => {
  switch (frame.type) {
    case 'offer':
      onOffer(io, agent, frame);
      return true;
    case 'resume':
      if (agent.work?.actionId === frame.actionId) agent.work.ticket = frame.ticket;
      return true;
    case 'cancel':
      onCancel(io, agent, frame);
      return true;
    case 'acknowledge':
      onAcknowledge(io, agent, frame);
      return true;
    case 'missing-uploads':
      void onMissing(io, agent, frame);
      return true;
    case 'watch':
    case 'watch-more':
    case 'unwatch':
      // live output is a hint, and nobody looks on at a simulation
      return true;
    case 'hello':
    case 'welcome':
    case 'heartbeat':
    case 'trust':
    case 'renew-key':
    case 'key-kept':
    case 'goodbye':
      return false;
  }
};
