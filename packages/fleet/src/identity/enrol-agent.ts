/** Enrolment of one simulated agent, by the real protocol. */
import { createHash } from 'node:crypto';
import { Sha256 } from '@longarm/contract/ids';
import { EnrolAnswer } from '@longarm/contract/wire/enrolment';
import { AGENT_PATHS, enrolProofText } from '@longarm/contract/wire/protocol';
import { agentFacts } from './agent-facts.ts';
import { agentKey } from './agent-key.ts';
import { readToken, type Trust } from './server-trust.ts';

export type EnrolOrder = {
  readonly server: string;
  readonly token: string;
  readonly seed: string;
  readonly trust: Trust;
  readonly pause: (seconds: number) => Promise<void>;
};

/** How often an enrolment is asked for again after an answer that says when. */
const ATTEMPTS = 20;

const bodyOf = (order: EnrolOrder, index: number): string => {
  const { publicKey, signText } = agentKey(order.seed, index);
  const hardwareId = Sha256.parse(createHash('sha256').update(`fleet\n${order.seed}\n${index}`).digest('hex'));
  const tokenId = readToken(order.token).id;
  const proof = signText(enrolProofText({ tokenId, publicKey, hardwareId }));
  return JSON.stringify({ token: order.token.trim(), publicKey, hardwareId, proof, facts: agentFacts(index) });
};

/** What the server answered; throws a sentence when it refused. */
export const enrolAgent = async (order: EnrolOrder, index: number): Promise<EnrolAnswer> => {
  const body = bodyOf(order, index);
  const headers = { 'Content-Type': 'application/json' };
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(order.server + AGENT_PATHS.enrol, { method: 'POST', headers, body, ...order.trust });
    if (answer.ok) return EnrolAnswer.parse(await answer.json());
    const said = await answer.text();
    const isForLater = answer.status === 429 || answer.status === 503;
    if (!isForLater || attempt === ATTEMPTS)
      throw new Error(`the server refused an enrolment: HTTP ${answer.status}, ${said.slice(0, 300)}`);
    await order.pause(Number(answer.headers.get('Retry-After') ?? 1));
  }
};
