/** Results through their signed links: the token never goes with one. */
import { ENDPOINTS } from '@longarm/contract/rest/index';
import { readApiFailure } from './api-failure.ts';
import type { Corridor, CorridorIo } from './corridor.ts';
import { type OpenContent, resumedBytes } from './resumed-bytes.ts';
import { reach } from './unreachable.ts';

export type ResultAddress = { readonly actionId: string; readonly index: number };

/** The signed link to one command's result. `ApiFailure` BadRequest: not ready; ResourceNotFound: none. */
export const getResultLink = async (corridor: Corridor, address: ResultAddress): Promise<string> => {
  const path = { id: address.actionId, index: String(address.index) };
  return (await corridor.sendJson(ENDPOINTS.getResultLink, { path })).value;
};

/** A link that ran out, or that another server process does not know: a new one may do. */
const STALE = new Set([401, 403, 404, 410]);

type ResultIo = Pick<CorridorIo, 'server' | 'transport' | 'trusted' | 'world'> & { readonly corridor: Corridor };

const get = async (io: ResultIo, link: string, call: { offset: number; signal?: AbortSignal }): Promise<Response> => {
  const url = new URL(link);
  url.searchParams.set('raw', '1');
  const headers = new Headers({ 'accept-encoding': 'identity' });
  if (call.offset > 0) headers.set('range', `bytes=${call.offset}-`);
  const init: BunFetchRequestInit = { headers, timeout: false, signal: call.signal ?? null, ...io.trusted };
  return await reach(link, () => io.transport(url.href, init), call.signal);
};

/**
 * The result as the server keeps it: a collected file's own bytes, or the JSON of a script. Resumes where a
 * connection was cut, with a new link where the old one ran out. Throws `ApiFailure` and `Unreachable`.
 */
export const openResult = async (
  io: ResultIo,
  address: ResultAddress,
  signal?: AbortSignal,
): Promise<AsyncGenerator<Uint8Array>> => {
  let link = await getResultLink(io.corridor, address);
  const open: OpenContent = async (offset) => {
    const call = { offset, ...(signal === undefined ? {} : { signal }) };
    let response = await get(io, link, call);
    if (STALE.has(response.status)) {
      link = await getResultLink(io.corridor, address);
      response = await get(io, link, call);
    }
    if (!response.ok) throw await readApiFailure(response, io.world.now());
    return response;
  };
  return resumedBytes({ open, world: io.world, origin: new URL(link).origin }, signal);
};
