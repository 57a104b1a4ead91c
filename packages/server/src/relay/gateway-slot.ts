/**
 * One gateway process as the main process sees it: started, listened to, watched, and started again when it has ended.
 *
 *   start ─hello→ attached ─listening→ up ──┬─ stop ──────────────────────────────▶ ended
 *     ▲                                      └─ its end, its silence, its nonsense ─▶ sockets closed
 *     └──────────────── at once, then after a growing time ◀──────────────────────────┘
 */
import type { TrunkFrame } from './frame.ts';
import type { GatewayChild } from './gateway-child.ts';
import { type GatewayOrder, readListening } from './orders.ts';
import type { Sharer } from './port-share.ts';
import type { RelayedSockets } from './relayed-sockets.ts';
import type { Trunk } from './trunk.ts';

export type SlotIo = {
  readonly spawn: () => GatewayChild;
  readonly newSecret: () => string;
  /** In constant time. */
  readonly isSame: (one: string, other: string) => boolean;
  /** `port`: of those that run already, or the configured one. */
  readonly startOrder: (secret: string, port: number) => GatewayOrder;
  readonly sockets: (trunk: Trunk) => RelayedSockets;
  /** Milliseconds on a clock that nobody can set. */
  readonly monotonic: () => number;
  /** Calls after so many milliseconds; returns how to leave it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** It ended without being told to. */
  readonly onLost: (lost: { readonly how: string; readonly sockets: number; readonly againMs: number }) => void;
  readonly onUp: (pid: number) => void;
};

/** A process that does not listen after this time is ended. */
const START_MS = 30_000;
const PING_MS = 5_000;
/** One that is silent for this long hangs. */
export const SILENT_MS = 30_000;
/** Before it is started for the second time in a row, milliseconds; then twice as long each time, up to the longest. */
const AGAIN_MS = 500;
const LONGEST_AGAIN_MS = 10_000;
/** One that was up for this long has ended for another reason than the one before it. */
const LIVED_MS = 60_000;
/** It has this long to say what was still to be said, once it was told to stop. */
const STOP_MS = 5_000;

export type GatewaySlot = {
  /** Resolves to the port as soon as it listens. Rejects when the process ends before, the first time. */
  readonly start: (port: number) => Promise<number>;
  readonly hasSecret: (secret: string) => boolean;
  /** Its trunk has said the secret. */
  readonly attach: (trunk: Trunk) => void;
  readonly take: (frame: TrunkFrame) => void;
  /** Its trunk is over. */
  readonly detach: (reason: string) => void;
  readonly tell: (order: GatewayOrder) => void;
  readonly count: () => number;
  /** Null while it does not listen. */
  readonly sharer: () => Sharer | null;
  readonly stop: () => Promise<void>;
};

type State = {
  child: GatewayChild | null;
  secret: string | null;
  trunk: Trunk | null;
  sockets: RelayedSockets | null;
  listening: PromiseWithResolvers<number>;
  isUp: boolean;
  isStopping: boolean;
  port: number;
  places: number;
  failures: number;
  heardAt: number;
  upSince: number;
  leave: () => void;
};

const nothing = (): void => {};

const newState = (): State => ({
  child: null,
  secret: null,
  trunk: null,
  sockets: null,
  listening: Promise.withResolvers<number>(),
  isUp: false,
  isStopping: false,
  port: 0,
  places: 0,
  failures: 0,
  heardAt: 0,
  upSince: 0,
  leave: nothing,
});

const watch = (io: SlotIo, state: State) => {
  const { trunk, child } = state;
  if (io.monotonic() - state.heardAt > SILENT_MS) return child?.kill();
  trunk?.send({ kind: 'ping', socket: 0 });
  state.leave = io.after(PING_MS, () => watch(io, state));
};

const begin = (io: SlotIo, state: State) => {
  const child = io.spawn();
  const secret = io.newSecret();
  Object.assign(state, { child, secret, isUp: false });
  child.tell(io.startOrder(secret, state.port));
  state.leave = io.after(START_MS, child.kill);
  void child.ended.then((how) => over(io, state, how));
};

const over = (io: SlotIo, state: State, how: string) => {
  state.leave();
  const { isUp, sockets, trunk } = state;
  const count = sockets?.count() ?? 0;
  Object.assign(state, { child: null, secret: null, trunk: null, sockets: null, isUp: false });
  trunk?.cut(how);
  sockets?.closeAll();
  if (state.isStopping) return;
  // the first start is somebody's to wait for
  if (state.upSince === 0) return state.listening.reject(new Error(`a gateway process did not start: ${how}`));
  if (isUp && io.monotonic() - state.upSince > LIVED_MS) state.failures = 0;
  const againMs = state.failures === 0 ? 0 : Math.min(LONGEST_AGAIN_MS, AGAIN_MS * 2 ** (state.failures - 1));
  state.failures++;
  io.onLost({ how, sockets: count, againMs });
  state.leave = io.after(againMs, () => begin(io, state));
};

const takeFrame = (io: SlotIo, state: State, frame: TrunkFrame) => {
  const { trunk, sockets, child } = state;
  state.heardAt = io.monotonic();
  if (frame.kind === 'pong') return;
  if (frame.kind === 'listening') {
    state.leave();
    const listening = readListening(frame.text);
    if (listening === null) return trunk?.cut('expected the port and the places of a gateway, got something else');
    const { port, places } = listening;
    const upSince = io.monotonic();
    Object.assign(state, { isUp: true, upSince, port, places: places ?? Number.POSITIVE_INFINITY });
    state.listening.resolve(state.port);
    io.onUp(child?.pid ?? 0);
    return watch(io, state);
  }
  const fault = sockets?.take(frame) ?? null;
  if (fault !== null) trunk?.cut(fault);
};

const stop = async (io: SlotIo, state: State) => {
  state.isStopping = true;
  state.leave();
  const { child, trunk } = state;
  if (child === null) return;
  if (trunk === null) child.kill();
  else trunk.send({ kind: 'stop', socket: 0 });
  const leave = io.after(STOP_MS, child.kill);
  await child.ended;
  leave();
};

export const gatewaySlot = (io: SlotIo): GatewaySlot => {
  const state = newState();
  return {
    start: (port) => {
      state.port = port;
      begin(io, state);
      return state.listening.promise;
    },
    hasSecret: (secret) => state.secret !== null && state.trunk === null && io.isSame(state.secret, secret),
    attach: (trunk) => {
      state.heardAt = io.monotonic();
      state.trunk = trunk;
      state.sockets = io.sockets(trunk);
    },
    take: (frame) => takeFrame(io, state, frame),
    // one that nobody hears any more is of no use, whatever it does
    detach: () => state.child?.kill(),
    tell: (order) => state.child?.tell(order),
    count: () => state.sockets?.count() ?? 0,
    sharer: () =>
      state.isUp && state.child !== null
        ? { process: state.child, held: state.sockets?.count() ?? 0, places: state.places }
        : null,
    stop: () => stop(io, state),
  };
};
