/** Requests byte for byte, as no client would send them, and what every answer has to be. */

export type Exchange = { readonly status: number; readonly headers: string; readonly body: string };

export type RawRequest = {
  readonly method: string;
  /** Visible ASCII, else the runtime itself refuses the line. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
};

const ANSWER_MS = 10_000;
const ANSWER_BYTES = 4_194_304;

/** What may stand in a request line or a header value; the rest is what HTTP itself forbids. */
export const visible = (text: string): string =>
  text.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character.toWellFormed()));
const fieldValue = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').trim();

const bytesOf = (host: string, { method, target, headers = {}, body }: RawRequest): Buffer => {
  const content = Buffer.from(body ?? '', 'utf8');
  const lines = Object.entries({
    Host: host,
    Connection: 'close',
    ...(body === undefined ? {} : { 'Content-Length': String(content.length) }),
    ...headers,
  }).map(([name, value]) => `${name}: ${fieldValue(value)}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${visible(target)} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
    content,
  ]);
};

/** Rejects when no whole answer comes in time. */
export const exchange = async (server: string, request: RawRequest): Promise<Exchange> => {
  const { host, hostname, port } = new URL(server);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  let text = '';
  let rest = bytesOf(host, request);
  const pump = (socket: { write: (bytes: Uint8Array) => number }) => {
    const taken = rest.length === 0 ? 0 : socket.write(rest);
    if (taken > 0) rest = rest.subarray(taken);
  };
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: pump,
      drain: pump,
      data: (socket, chunk) => {
        text += chunk.toString('latin1');
        if (text.length > ANSWER_BYTES) socket.terminate();
      },
      close: () => resolve(text),
      error: (_socket, fault) => reject(fault),
    },
  });
  try {
    const whole = await promise;
    const end = whole.indexOf('\r\n\r\n');
    const headers = whole.slice(0, end).toLowerCase();
    const body = Buffer.from(whole.slice(end + 4), 'latin1').toString('utf8');
    return { status: Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(whole)?.[1]), headers, body };
  } finally {
    clearTimeout(timer);
  }
};

/** A stack trace, or a path of the machine. */
const LEAK = /\n\s+at |node_modules|packages\/|\/tmp\/|\/home\/|\.ts:[0-9]|SQLITE|sqlite|near "/;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const errorOf = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** What is wrong with the answer, or null. `oauth`: refusals have the form of RFC 6749 5.2. */
export const answerFault = (
  { status, headers, body }: Exchange,
  form: 'api' | 'oauth' | 'tus' = 'api',
): string | null => {
  if (!Number.isInteger(status)) return 'no answer';
  if (status >= 500 && status !== 503) return `status ${status}: ${body.slice(0, 300)}`;
  if (status < 400) return null;
  // what the runtime refuses before any code of ours: its request line or its headers are not HTTP, or are too long
  if (body === '' && (status === 400 || status === 431)) return null;
  if (LEAK.test(body)) return `it tells of the inside: ${body.slice(0, 300)}`;
  if (form === 'tus' && body === '' && /upload-offset/.test(headers)) return null;
  if (body === '' && status === 416) return null;
  if (!/content-type: application\/json/.test(headers)) return `no JSON under ${status}: ${headers}`;
  const error = errorOf(parsed(body));
  const code = form === 'oauth' ? error : codeOf(error);
  return typeof code === 'string' && code !== '' ? null : `no code under ${status}: ${body.slice(0, 300)}`;
};
