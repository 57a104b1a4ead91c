/**
 * Requests that are no device's socket: passed on to the main process and back as they are, streamed both ways, with
 * whoever gives up first ending both sides. Nothing is compressed, followed, cached, kept or tried again here.
 */
import { faultCode } from '@longarm/contract/system-fault';
import { bodyOfLength } from '../http/body-of-length.ts';
import { jsonAnswer } from '../http/json-answer.ts';

/** The address of the caller, as the gateway saw it: believed on the private socket alone, and never let in from outside. */
export const RELAY_ADDRESS_HEADER = 'longarm-relay-address';
/** In an answer of the main process: the body is this file (its path percent-encoded), for the gateway to send. Never let out. */
export const RELAY_FILE_HEADER = 'longarm-relay-file';

/**
 * What concerns one connection and not the next (RFC 9110, 7.6.1), and what a client waits for on its own. Other names in
 * `Connection` are for nobody here: a caller cannot have a header of a proxy's removed by naming it.
 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
];

const withoutHop = (given: Headers): Headers => {
  const headers = new Headers(given);
  for (const name of HOP_BY_HOP) headers.delete(name);
  return headers;
};

export type PassOnIo = {
  /** The main process's socket for requests. */
  readonly requestPath: string;
};

/** A request, and what is known of it besides. */
export type PassedOn = {
  readonly request: Request;
  readonly remoteAddress: string | null;
  /** The answer is a stream of events, which may be silent for as long as it likes. */
  readonly keepOpen: () => void;
};

/** What the request line asked for, as it was written. */
const targetOf = (url: string): string => {
  const at = url.indexOf('/', url.indexOf('://') + 3);
  return at < 0 ? '/' : url.slice(at);
};

/** Nobody took the request: it was not carried out. */
const NOT_REACHED = ['ECONNREFUSED', 'ENOENT', 'FailedToOpenSocket', 'ConnectionRefused'];

const failure = (status: 502 | 503, message: string, headers: Readonly<Record<string, string>> = {}): Response =>
  jsonAnswer({ error: { code: 'InternalServerError', message, target: 'gateway' } }, status, headers);

const failed = (fault: unknown): Response =>
  NOT_REACHED.includes(faultCode(fault) ?? '')
    ? failure(503, 'The server is starting or stopping. Try again.', { 'Retry-After': '1' })
    : failure(502, 'The server broke the request off: whether it was carried out is not known here.');

const answerOf = async (answer: Response, method: string): Promise<Response> => {
  const { status, statusText } = answer;
  const headers = withoutHop(answer.headers);
  const file = headers.get(RELAY_FILE_HEADER);
  headers.delete(RELAY_FILE_HEADER);
  if (file !== null) {
    headers.delete('content-length');
    return new Response(Bun.file(decodeURIComponent(file)), { status, statusText, headers });
  }
  const length = headers.get('content-length');
  if (answer.body === null || length === null || method === 'HEAD')
    return new Response(answer.body, { status, statusText, headers });
  return new Response(await bodyOfLength(answer.body, Number(length)), { status, statusText, headers });
};

/** Never throws: a main process that cannot be reached is a 503, one that breaks off a 502. */
export const passOn =
  ({ requestPath }: PassOnIo) =>
  async ({ request, remoteAddress, keepOpen }: PassedOn): Promise<Response> => {
    const headers = withoutHop(request.headers);
    headers.set(RELAY_ADDRESS_HEADER, remoteAddress ?? '');
    try {
      const answer = await fetch(`http://main${targetOf(request.url)}`, {
        unix: requestPath,
        method: request.method,
        headers,
        body: request.body,
        redirect: 'manual',
        decompress: false,
        // a kept connection may be closed by the other side in the moment that a request is written to it
        keepalive: false,
        signal: request.signal,
        timeout: false,
      });
      if (answer.headers.get('content-type')?.startsWith('text/event-stream') === true) keepOpen();
      return await answerOf(answer, request.method);
    } catch (fault) {
      return failed(fault);
    }
  };
