/** By which application people sign in from the command line, as the server's discovery document says it. */
import { COMMAND_LINE_CLAIM } from '@longarm/contract/application';
import { z } from 'zod';
import { readApiFailure } from './api-failure.ts';
import type { SessionIo } from './person-session.ts';
import { parseAnswer, readJson } from './unexpected-answer.ts';
import { reach } from './unreachable.ts';

const Document = z.object({ [COMMAND_LINE_CLAIM]: z.string().min(1).optional() });

/** Its client id; null where the server names none. Throws `ApiFailure`, `UnexpectedAnswer` or `Unreachable`. */
export const findCommandLineClient = async (io: Omit<SessionIo, 'clientId'>): Promise<string | null> => {
  const url = new URL(`${encodeURIComponent(io.tenant)}/v2.0/.well-known/openid-configuration`, io.server).href;
  const headers = { accept: 'application/json' };
  const response = await reach(url, () => io.transport(url, { headers, redirect: 'manual', ...io.trusted }));
  if (!response.ok) throw await readApiFailure(response, io.world.now());
  const what = 'the discovery of the server';
  return parseAnswer(Document, await readJson(response, what), what)[COMMAND_LINE_CLAIM] ?? null;
};
