/** Reports of a simulated agent: kept until acknowledged, sent again on each connection. */
import type { FrameToServer, InlineContent, Report } from '@longarm/contract/wire/to-server';
import type { Agent } from './agent.ts';
import type { Fact } from './fleet-io.ts';

export const sendFrame = (agent: Agent, frame: FrameToServer): void => {
  if (agent.phase !== 'away' && agent.socket !== null) agent.socket.send(JSON.stringify(frame));
};

export const tell = (agent: Agent, fact: Fact, contents: readonly InlineContent[] = []): void => {
  agent.sequence++;
  const inline = contents.length === 0 ? {} : { contents: [...contents] };
  const report: Report = { type: 'report', sequence: agent.sequence, fact, ...inline };
  agent.owed ??= [];
  agent.owed.push(report);
  if (agent.phase === 'connected') sendFrame(agent, report);
};

export const resendOwed = (agent: Agent): void => {
  for (const report of agent.owed ?? []) sendFrame(agent, report);
};

/** Forgets what the server has; gives what of it was owed. */
export const acknowledged = (agent: Agent, sequence: number): readonly Report[] => {
  const owed = agent.owed ?? [];
  const left = owed.filter((report) => report.sequence > sequence);
  agent.owed = left.length === 0 ? null : left;
  return owed.filter((report) => report.sequence <= sequence);
};
