/**
 * A server that speaks the agent's protocol on a loopback socket, and does what a test tells it. It keeps what came,
 * acknowledges reports unless told otherwise, and can be made to fail.
 */
import { createHash } from 'node:crypto';
import { FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { decodeFrame } from '@longarm/contract/wire/codec';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import { AGENT_PATHS, uploadPath } from '@longarm/contract/wire/protocol';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import { type Fact, FrameToServer, type Report } from '@longarm/contract/wire/to-server';
import type { ServerWebSocket } from 'bun';
import { seal, sha256Of, signingKey, TENANT } from './sealed-envelope.ts';
import { until } from './until.ts';
import { uploadDoor } from './upload-door.ts';

export const AUDIENCE = 'loopback-audience';
export const NONCE = 'a-nonce-of-this-connection';

type Settings = {
  /** Comes before everything else; null lets the request pass. */
  intercept: (request: Request, path: string) => Response | null | Promise<Response | null>;
  acknowledges: boolean;
  answersHeartbeats: boolean;
  heartbeatSeconds: number;
  serverTime: () => number;
};

const defaults = (): Settings => ({
  intercept: () => null,
  acknowledges: true,
  answersHeartbeats: true,
  heartbeatSeconds: 30,
  serverTime: Date.now,
});

type Tls = { readonly cert: string; readonly key: string; readonly caPem: string; readonly caSha256: string };

const machineIdOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, 40);

const rangeOf = (request: Request, content: Uint8Array): Response => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get('range') ?? '') ?? [];
  if (from === undefined || to === undefined) return new Response(content.slice());
  const end = Math.min(Number(to) + 1, content.length);
  return new Response(content.slice(Number(from), end), {
    status: 206,
    headers: { 'Content-Range': `bytes ${from}-${end - 1}/${content.length}` },
  });
};

export const startLoopbackServer = (tls: Tls | null = null) => {
  const key = signingKey();
  const settings = defaults();
  const door = uploadDoor();
  const library = new Map<string, Uint8Array>();
  const frames: FrameToServer[] = [];
  const reports: Report[] = [];
  const sockets = new Set<ServerWebSocket<undefined>>();
  let opened = 0;

  const send = (frame: FrameToAgent) => {
    for (const socket of sockets) socket.send(JSON.stringify(frame));
  };

  const onFrame = (socket: ServerWebSocket<undefined>, frame: FrameToServer) => {
    frames.push(frame);
    const { heartbeatSeconds } = settings;
    const say = (answer: FrameToAgent) => void socket.send(JSON.stringify(answer));
    if (frame.type === 'prove') say({ type: 'welcome', serverTime: settings.serverTime(), heartbeatSeconds });
    if (frame.type === 'heartbeat' && settings.answersHeartbeats)
      say({ type: 'heartbeat', serverTime: settings.serverTime() });
    if (frame.type !== 'report') return;
    reports.push(frame);
    const { fact, contents = [] } = frame;
    if (fact.kind === 'command-finished')
      for (const content of contents) door.keep(uploadPath({ ...fact, ...content }), content);
    if (settings.acknowledges) say({ type: 'acknowledge', sequence: frame.sequence });
  };

  const enrol = async (request: Request): Promise<Response> => {
    const { publicKey } = (await request.json()) as { publicKey: string };
    const machineId = machineIdOf(publicKey);
    return Response.json({ machineId, tenantId: TENANT, audience: AUDIENCE, envelopeKey: key.publicKey });
  };

  const answer = (request: Request, path: string): Response | Promise<Response> => {
    if (path === AGENT_PATHS.enrol) return enrol(request);
    if (path === AGENT_PATHS.certificate && tls !== null) return new Response(tls.caPem);
    const content = [...library].find(([sha256]) => path.endsWith(`/files/${sha256}`))?.[1];
    if (content !== undefined) return rangeOf(request, content);
    return path.includes('/results/') ? door.handle(request, path) : new Response(null, { status: 404 });
  };

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    ...(tls === null ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    fetch: async (request, bun) => {
      const path = new URL(request.url).pathname;
      const intercepted = await settings.intercept(request, path);
      if (intercepted !== null) return intercepted;
      if (path === AGENT_PATHS.connect && bun.upgrade(request)) return undefined;
      return answer(request, path);
    },
    websocket: {
      open: (socket) => {
        opened++;
        sockets.add(socket);
        const hello = { type: 'hello', protocol: 1, nonce: NONCE, serverTime: settings.serverTime() };
        socket.send(JSON.stringify(hello));
      },
      message: (socket, message) => {
        const decoded = decodeFrame(FrameToServer, message, FRAME_TO_SERVER_BYTES);
        if (!decoded.ok) throw new Error(decoded.fault);
        onFrame(socket, decoded.value);
      },
      close: (socket) => void sockets.delete(socket),
    },
  });

  const facts = (): readonly Fact[] => reports.map(({ fact }) => fact);

  return {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${server.port}`,
    token: `longarm1.tokenid1.${'s'.repeat(24)}.${tls?.caSha256 ?? 'none'}`,
    settings,
    envelopeKey: key,
    uploads: door.uploads,
    frames,
    reports,
    facts,
    send,
    sendText: (text: string) => {
      for (const socket of sockets) socket.send(text);
    },
    opened: () => opened,
    /** Ends every connection without a word. */
    cut: () => {
      for (const socket of sockets) socket.terminate();
    },
    addFile: (content: string | Uint8Array) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      const sha256 = sha256Of(bytes);
      library.set(sha256, bytes);
      return { sha256, sizeBytes: bytes.length };
    },
    offer: (payload: EnvelopePayload, ticket = 'ticket') =>
      send({ type: 'offer', actionId: payload.actionId, envelope: seal(payload, key.privateKey), ticket }),
    machineId: () => frames.find((frame) => frame.type === 'prove')?.machineId,
    connected: (times = 1) =>
      until(`connection ${times}`, () => frames.filter(({ type }) => type === 'prove').length >= times),
    fact: <Kind extends Fact['kind']>(actionId: string, kind: Kind) =>
      until(
        `${kind} of ${actionId}`,
        () =>
          facts().find(
            (fact): fact is Extract<Fact, { kind: Kind }> => fact.kind === kind && fact.actionId === actionId,
          ) ?? null,
      ),
    upload: (actionId: string, index: number, stream: string): string | null => {
      const stored = door.uploads.get(`/agent/v1/actions/${actionId}/commands/${index}/results/${stream}`);
      return stored === undefined ? null : new TextDecoder().decode(stored.bytes);
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop(true);
    },
  };
};

export type LoopbackServer = ReturnType<typeof startLoopbackServer>;
