/** Results through their signed links: the token never goes with one. */

import { ENDPOINTS } from '@longarm/contract/rest/index';
import type { ResultStream } from '@longarm/contract/result';
import { readApiFailure } from './api-failure.ts';
import type { Corridor, CorridorIo } from './corridor.ts';
import { type OpenContent, resumedBytes } from './resumed-bytes.ts';
import { reach } from './unreachable.ts';

export type ResultAddress = { readonly actionId: string; readonly index: number };

/**
 * `whole`: as the original delivers it, a script's JSON or a collected file inside gzip. A stream: its raw bytes,
 * whose hash and size the action entity tells.
 */
export type ResultForm = 'whole' | ResultStream;

/** The signed link to one command's result. `ApiFailure` BadRequest: not ready; ResourceNotFound: none. */
export const getResultLink = async (corridor: Corridor, address: ResultAddress): Promise<string> => {
  const path = { id: address.actionId, index: String(address.index) };
  return (await corridor.sendJson(ENDPOINTS.getResultLink, { path })).value;
};

/** A link that ran out, or that another server process does not know: a new one may do. */
const STALE = new Set([401, 403, 404, 410]);

type ResultIo = Pick<CorridorIo, 'server' | 'transport' | 'trusted' | 'world'> & { readonly corridor: Corridor };

type Get = { readonly form: ResultForm; readonly offset: number; readonly signal: AbortSignal | undefined };

const get = async (io: ResultIo, link: string, call: Get): Promise<Response> => {
  const url = new URL(link);
  if (call.form !== 'whole') {
    url.searchParams.set('raw', '1');
    url.searchParams.set('stream', call.form);
  }
  const headers = new Headers({ 'accept-encoding': 'identity' });
  if (call.offset > 0) headers.set('range', `bytes=${call.offset}-`);
  const init: BunFetchRequestInit = { headers, timeout: false, signal: call.signal ?? null, ...io.trusted };
  return await reach(link, () => io.transport(url.href, init), call.signal);
};

export type OpenResultOptions = { readonly form?: ResultForm; readonly signal?: AbortSignal };

/**
 * The bytes of a result, in the form `whole` if none is named. Resumes where a connection was cut, with a new link
 * where the old one ran out. Throws `ApiFailure` and `Unreachable`.
 */
export const openResult = async (
  io: ResultIo,
  address: ResultAddress,
  options: OpenResultOptions,
): Promise<AsyncGenerator<Uint8Array>> => {
  let link = await getResultLink(io.corridor, address);
  const open: OpenContent = async (offset) => {
    const call: Get = { form: options.form ?? 'whole', offset, signal: options.signal };
    let response = await get(io, link, call);
    if (STALE.has(response.status)) {
      link = await getResultLink(io.corridor, address);
      response = await get(io, link, call);
    }
    if (!response.ok) throw await readApiFailure(response, io.world.now());
    return response;
  };
  return resumedBytes({ open, world: io.world, origin: new URL(link).origin }, options.signal);
};
