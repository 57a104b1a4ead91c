/** The analyst's side of a fleet: asks every agent for the same script, through the REST API. */
import { z } from 'zod';
import { agentKey } from '../identity/agent-key.ts';
import type { Trust } from '../identity/server-trust.ts';

export type RunOrder = {
  readonly server: string;
  readonly trust: Trust;
  readonly client: { readonly id: string; readonly secret: string };
  readonly seed: string;
  readonly agents: number;
  readonly script: string;
  readonly args: string;
};

export type RunReport = {
  readonly accepted: number;
  /** By HTTP status. */
  readonly refused: Readonly<Record<string, number>>;
  readonly requestMs: readonly number[];
};

/** Requests on their way at once. */
const REQUESTS_AHEAD = 64;

const Token = z.object({ access_token: z.string() });

export const openAccess = async ({ server, trust, client }: Pick<RunOrder, 'server' | 'trust' | 'client'>) => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
    scope: `${server}/.default`,
  });
  const answer = await fetch(`${server}/default/oauth2/v2.0/token`, { method: 'POST', body, ...trust });
  if (!answer.ok) throw new Error(`the server gave no access token: HTTP ${answer.status}, ${await answer.text()}`);
  return { Authorization: `Bearer ${Token.parse(await answer.json()).access_token}` };
};

/** A script by that name in the library; its content does not matter, since nothing executes it. */
export const uploadScript = async (order: Omit<RunOrder, 'agents' | 'seed' | 'args'>): Promise<void> => {
  const body = new FormData();
  body.append('file', new Blob(['#!/bin/sh\n']), order.script);
  body.append('OverrideIfExists', 'true');
  const headers = await openAccess(order);
  const answer = await fetch(`${order.server}/api/libraryfiles`, { method: 'POST', headers, body, ...order.trust });
  if (!answer.ok) throw new Error(`the library took no script: HTTP ${answer.status}, ${await answer.text()}`);
};

const bodyOf = ({ script, args }: RunOrder): string => {
  const named = [{ key: 'ScriptName', value: script }];
  const params = args === '' ? named : [...named, { key: 'Args', value: args }];
  return JSON.stringify({ Commands: [{ type: 'RunScript', params }], Comment: 'fleet' });
};

export const requestRuns = async (order: RunOrder): Promise<RunReport> => {
  const headers = { ...(await openAccess(order)), 'Content-Type': 'application/json' };
  const body = bodyOf(order);
  const refused: Record<string, number> = {};
  const requestMs: number[] = [];
  let next = 0;
  let accepted = 0;
  const ask = async () => {
    while (next < order.agents) {
      const { machineId } = agentKey(order.seed, next++);
      const since = performance.now();
      const url = `${order.server}/api/machines/${machineId}/runliveresponse`;
      const answer = await fetch(url, { method: 'POST', headers, body, ...order.trust });
      await answer.body?.cancel();
      requestMs.push(performance.now() - since);
      if (answer.ok) accepted++;
      else refused[`HTTP ${answer.status}`] = (refused[`HTTP ${answer.status}`] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(REQUESTS_AHEAD, order.agents) }, ask));
  return { accepted, refused, requestMs };
};
