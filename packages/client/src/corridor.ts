/** The way that every authenticated call takes: token, one renewal after 401, patience after 429, failures typed. */
import type { Endpoint } from '@longarm/contract/rest/endpoint';
import type { z } from 'zod';
import { type ApiFailure, readApiFailure } from './api-failure.ts';
import { endpointUrl, type PathParts, type QueryParts } from './endpoint-url.ts';
import type { TokenSource } from './token-source.ts';
import type { Transport } from './transport.ts';
import { parseAnswer, readJson } from './unexpected-answer.ts';
import { reach, Unreachable } from './unreachable.ts';
import { type ClientWorld, pause } from './world.ts';

/** A call that sends no stream gets the head of its answer within this time. */
const ANSWER_MS = 120_000;

export type Call = {
  readonly path?: PathParts;
  readonly query?: QueryParts;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Opens the body from its start, once per attempt. */
  readonly stream?: () => ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
};

type JsonEndpoint<Schema extends z.ZodType> = Endpoint & {
  readonly response: { readonly type: 'json'; readonly schema: Schema };
};

export type Corridor = {
  /** The answer, when it is a success; its body not yet read. */
  readonly send: (endpoint: Endpoint, call: Call) => Promise<Response>;
  /** The answer, read by the endpoint's schema. */
  readonly sendJson: <Schema extends z.ZodType>(endpoint: JsonEndpoint<Schema>, call: Call) => Promise<z.infer<Schema>>;
};

export type CorridorIo = {
  readonly server: URL;
  readonly tokens: TokenSource;
  readonly transport: Transport;
  readonly trusted: BunFetchRequestInit;
  readonly world: ClientWorld;
  /** Seconds that one call may wait in all because of 429 before that failure is thrown. */
  readonly limitPatienceSeconds: number;
};

/** A signal that follows the caller's and fires when the answer is late; `settle` ends the watch. */
const answerWatch = (io: CorridorIo, call: Call, url: string) => {
  const controller = new AbortController();
  const follow = () => controller.abort(call.signal?.reason);
  if (call.signal?.aborted) follow();
  call.signal?.addEventListener('abort', follow, { once: true });
  const late = () => controller.abort(new Unreachable('silent', new URL(url).origin));
  const cancel = call.stream === undefined ? io.world.after(ANSWER_MS, late) : () => undefined;
  return { signal: controller.signal, settle: cancel };
};

const exchange = async (io: CorridorIo, endpoint: Endpoint, call: Call): Promise<Response> => {
  const url = endpointUrl(io.server, endpoint, call).href;
  const token = await io.tokens.get();
  const headers = new Headers({ accept: 'application/json', ...call.headers, authorization: `Bearer ${token}` });
  if (call.json !== undefined) headers.set('content-type', 'application/json');
  const watch = answerWatch(io, call, url);
  const body = call.stream?.() ?? (call.json === undefined ? undefined : JSON.stringify(call.json));
  const init: BunFetchRequestInit = {
    method: endpoint.method,
    headers,
    redirect: 'manual',
    signal: watch.signal,
    // The runtime would end an answer that pauses for five minutes; event streams and large uploads may.
    timeout: false,
    ...io.trusted,
    ...(body === undefined ? {} : { body }),
  };
  try {
    const response = await reach(url, () => io.transport(url, init), call.signal);
    if (response.status === 401) io.tokens.forget(token);
    return response;
  } finally {
    watch.settle();
  }
};

/** How long to wait before the same call is made again, or null when the failure stands. */
const waitMs = (failure: ApiFailure, patienceLeftMs: number): number | null => {
  const delayMs = (failure.retryAfterSeconds ?? 1) * 1000;
  return failure.status === 429 && delayMs <= patienceLeftMs ? delayMs : null;
};

export const createCorridor = (io: CorridorIo): Corridor => {
  const send = async (endpoint: Endpoint, call: Call): Promise<Response> => {
    let patienceLeftMs = io.limitPatienceSeconds * 1000;
    for (let renewed = false; ; ) {
      const response = await exchange(io, endpoint, call);
      if (response.ok) return response;
      const failure = await readApiFailure(response, io.world.now());
      if (failure.status === 401 && !renewed) {
        renewed = true;
        continue;
      }
      const delayMs = waitMs(failure, patienceLeftMs);
      if (delayMs === null) throw failure;
      patienceLeftMs -= Math.max(delayMs, 1000);
      await pause(io.world, delayMs, call.signal);
    }
  };
  return {
    send,
    sendJson: async (endpoint, call) => {
      const what = `${endpoint.method} ${endpoint.path}`;
      const response = await send(endpoint, call);
      const body = await reach(io.server.href, () => readJson(response, what), call.signal);
      return parseAnswer(endpoint.response.schema, body, what);
    },
  };
};
