/** The wiring of other issuers. */
import { foreignCaller } from '../auth/issuers/foreign-caller.ts';
import { issuerKeys } from '../auth/issuers/issuer-keys.ts';
import type { Engine, World } from './engine.ts';

const FETCH_MS = 5_000;
const ANSWER_BYTES = 1_048_576;

/** Whoever is sent elsewhere was not asked for. */
const fetchJson = async (url: string): Promise<unknown> => {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_MS) });
  if (!response.ok) throw new Error(`Expected 200 of ${url}, got ${response.status}.`);
  const body = await response.arrayBuffer();
  if (body.byteLength > ANSWER_BYTES) throw new Error(`Expected at most ${ANSWER_BYTES} bytes of ${url}, got more.`);
  return JSON.parse(new TextDecoder().decode(body));
};

export const issuerCallers = ({ store, now }: Engine, { log }: World) =>
  foreignCaller({
    issuers: store.issuers,
    now,
    keys: issuerKeys({
      now,
      fetchJson,
      onFault: (issuer, fault) => log.warn({ err: fault, issuer }, 'keys cannot be had; those that are known work on'),
    }),
  });
