/**
 * One connection from its first frame to its last.
 *
 *   awaiting hello ─hello→ awaiting welcome ─welcome→ connected
 *          └──── closed, silent, rubbish, goodbye ────┴────────→ over
 */
import type { Sha256 } from '@longarm/contract/ids';
import { FRAME_TO_AGENT_BYTES } from '@longarm/contract/limits';
import { decodeFrame, encodeFrame } from '@longarm/contract/wire/codec';
import { PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import { FrameToAgent, type FrameToAgentType } from '@longarm/contract/wire/to-agent';
import type { FrameToServer } from '@longarm/contract/wire/to-server';
import type { Inbox } from '../inbox/inbox.ts';
import type { LiveOutput } from '../live/live-output.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { type Heartbeat, type HeartbeatIo, startHeartbeat } from './heartbeat.ts';
import type { Dial } from './socket.ts';

/** How long a handshake may take, milliseconds. */
const HANDSHAKE_MS = 30_000;

export type SessionIo = HeartbeatIo & {
  readonly dial: Dial;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly live: LiveOutput;
  /** Answers the server's nonce. */
  readonly prove: (nonce: string) => Extract<FrameToServer, { type: 'prove' }>;
  /** True when it is on the disk. */
  readonly keepGeneration: (generation: string) => boolean;
  readonly learnTime: (serverTime: number) => void;
  /** The device's key is followed by another. */
  readonly keys: {
    readonly isWanted: () => boolean;
    /** Null where the next key cannot be kept. */
    readonly claim: (nonce: string) => Extract<FrameToServer, { type: 'new-key' }> | null;
    readonly take: (receipt: string) => void;
  };
  /** Whom the device believes from now on, on the disk; null where the statement is not to be believed. */
  readonly keepTrust: (statement: string) => readonly Sha256[] | null;
  /** The server let this device in, and told how often it wants to hear from it. */
  readonly onWelcome: (heartbeatMs: number) => void;
};

export type SessionEnd = {
  /** Why it is over, for the log. */
  readonly reason: string;
  /** The connection was never made. */
  readonly isUnreached: boolean;
  readonly retryAfterSeconds: number;
};

type Frame<Type extends FrameToAgentType> = Extract<FrameToAgent, { type: Type }>;
type Phase = 'awaiting-hello' | 'awaiting-welcome' | 'connected';

/** Frames that may come in each phase; another one is a fault of the server. */
const EXPECTED: Readonly<Record<Phase, readonly FrameToAgentType[]>> = {
  'awaiting-hello': ['hello', 'goodbye'],
  'awaiting-welcome': ['welcome', 'goodbye'],
  connected: [
    'offer',
    'resume',
    'cancel',
    'acknowledge',
    'missing-uploads',
    'heartbeat',
    'watch',
    'watch-more',
    'unwatch',
    'trust',
    'renew-key',
    'key-kept',
    'goodbye',
  ],
};

type Live = {
  readonly io: SessionIo;
  readonly send: (frame: FrameToServer) => void;
  readonly end: (reason: string, retryAfterSeconds?: number) => void;
  phase: Phase;
  heartbeat: Heartbeat;
};

const onHello = (live: Live, { protocol, nonce, serverTime }: Frame<'hello'>) => {
  if (protocol !== PROTOCOL_VERSION)
    return live.end(
      `expected protocol ${PROTOCOL_VERSION}, the server speaks ${protocol}: update the older of the two`,
    );
  live.io.learnTime(serverTime);
  live.phase = 'awaiting-welcome';
  live.send(live.io.prove(nonce));
};

/** What a `key-kept` behind the welcome settles is settled by the first beat: nothing is asked for twice. */
const beat = (live: Live) => {
  live.send({ type: 'heartbeat' });
  if (live.io.keys.isWanted()) live.send({ type: 'key-wanted' });
};

const onRenewKey = (live: Live, nonce: string) => {
  const claim = live.io.keys.claim(nonce);
  if (claim !== null) live.send(claim);
};

const onWelcome = (live: Live, { serverTime, heartbeatSeconds, generation }: Frame<'welcome'>) => {
  live.io.learnTime(serverTime);
  live.phase = 'connected';
  live.heartbeat.stop();
  const heartbeatMs = heartbeatSeconds * 1_000;
  live.heartbeat = startHeartbeat(live.io, heartbeatMs, {
    beat: () => beat(live),
    silent: () => live.end('the server is silent: nothing came for two heartbeats'),
  });
  if (generation !== undefined && live.io.keepGeneration(generation)) live.send({ type: 'generation-kept' });
  live.io.onWelcome(heartbeatMs);
  live.io.outbox.connected(live.send);
  live.io.live.connected(live.send);
};

const onTrust = (live: Live, statement: string) => {
  const trusted = live.io.keepTrust(statement);
  if (trusted !== null) live.send({ type: 'trust-kept', trusted: [...trusted] });
};

const handle = (live: Live, frame: FrameToAgent) => {
  const { inbox, outbox } = live.io;
  switch (frame.type) {
    case 'hello':
      return onHello(live, frame);
    case 'welcome':
      return onWelcome(live, frame);
    case 'offer':
      return inbox.offer(frame);
    case 'resume':
      return inbox.resume(frame);
    case 'cancel':
      return inbox.cancel(frame);
    case 'acknowledge':
      return outbox.acknowledge(frame.sequence);
    case 'missing-uploads':
      return outbox.missingUploads(frame);
    case 'heartbeat':
      return live.io.learnTime(frame.serverTime);
    case 'watch':
    case 'watch-more':
    case 'unwatch':
      return live.io.live.hear(frame);
    case 'trust':
      return onTrust(live, frame.statement);
    case 'renew-key':
      return onRenewKey(live, frame.nonce);
    case 'key-kept':
      return live.io.keys.take(frame.receipt);
    case 'goodbye':
      return live.end(`the server said goodbye: ${frame.reason}`, frame.retryAfterSeconds);
  }
};

const receive = (live: Live, data: unknown) => {
  live.heartbeat.heard();
  const text = typeof data === 'string' ? data : new Uint8Array();
  const decoded = decodeFrame(FrameToAgent, text, FRAME_TO_AGENT_BYTES);
  if (!decoded.ok) return live.end(decoded.fault);
  if (!EXPECTED[live.phase].includes(decoded.value.type))
    return live.end(`expected ${EXPECTED[live.phase].join(' or ')}, got ${decoded.value.type}`);
  handle(live, decoded.value);
};

/** Connects, and resolves when the connection is over. Rejects with what a frame's handling threw. */
export const runSession = (io: SessionIo, stop: AbortSignal): Promise<SessionEnd> => {
  const over = Promise.withResolvers<SessionEnd>();
  let isReached = false;
  let isOver = false;
  const close = () => {
    isOver = true;
    live.heartbeat.stop();
    io.outbox.disconnected();
    io.live.disconnected();
    stop.removeEventListener('abort', onStop);
    socket.close();
  };
  const end = (reason: string, retryAfterSeconds = 0) => {
    if (isOver) return;
    close();
    over.resolve({ reason, isUnreached: !isReached, retryAfterSeconds });
  };
  const onStop = () => end('the agent stops');
  const onMessage = (data: unknown) => {
    if (isOver) return;
    isReached = true;
    try {
      receive(live, data);
    } catch (fault) {
      close();
      over.reject(fault);
    }
  };
  const socket = io.dial({ onMessage, onClosed: (fault) => end(fault ?? 'the connection was closed') });
  const send = (frame: FrameToServer) => {
    if (!isOver) socket.send(encodeFrame(frame));
  };
  const callOff = io.after(HANDSHAKE_MS, () => end('the server did not let this device in within half a minute'));
  const handshake: Heartbeat = { heard: () => {}, stop: callOff };
  const live: Live = { io, send, end, phase: 'awaiting-hello', heartbeat: handshake };
  stop.addEventListener('abort', onStop, { once: true });
  return over.promise;
};
