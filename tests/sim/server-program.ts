/** One run of the server: the real core, store, dispatcher, gateway, tus door and chores, on simulated things. */
import { cancelAction } from '@longarm/server/actions/cancel-action';
import { decideAction } from '@longarm/server/actions/decide-action';
import { findAction } from '@longarm/server/actions/find-action';
import { requestLiveResponse } from '@longarm/server/actions/request-live-response';
import { envelopeSigner } from '@longarm/server/auth/envelope-signer';
import { startSweeper } from '@longarm/server/dispatch/sweeper';
import { errorAnswer } from '@longarm/server/http/error-answer';
import type { BlobStore } from '@longarm/server/library/ports';
import { findActiveMachine } from '@longarm/server/machines/find-machine';
import type { LogSync } from '@longarm/server/store/log-sync';
import { type Store, storeOver } from '@longarm/server/store/open-store';
import { receiveResult } from '@longarm/server/transfer/receive-result';
import { transferRoutes } from '@longarm/server/transfer/routes';
import { sendLibraryFile } from '@longarm/server/transfer/send-library-file';
import { type GateIo, transferGate } from '@longarm/server/transfer/transfer-gate';
import { chores } from '@longarm/server/wiring/chores';
import { deviceConnections } from '@longarm/server/wiring/device-connections';
import { openEngine } from '@longarm/server/wiring/engine';
import type { BlobMedium } from './blobs.ts';
import type { SimulatedDatabase } from './database.ts';
import type { Faults } from './faults.ts';
import { AUDIENCE, ENVELOPE_KEY, SEAL_KEY } from './founding.ts';
import type { Life } from './life.ts';
import type { ServerEndpoint } from './network.ts';
import { guidOf, type Random } from './random.ts';
import { slowStore } from './slow-store.ts';
import type { Trace } from './trace.ts';
import type { WorldLimits } from './world-limits.ts';

/** Parts that a test breaks on purpose. */
export type BrokenServer = {
  readonly store?: (store: Store, raw: SimulatedDatabase['raw']) => Store;
  readonly log?: (log: LogSync) => LogSync;
  readonly blobs?: (blobs: BlobStore) => BlobStore;
  readonly proofs?: (proofs: GateIo['proofs']) => GateIo['proofs'];
};

export type ServerIo = {
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly database: SimulatedDatabase;
  readonly blobs: BlobMedium;
  readonly limits: WorldLimits;
  /** Milliseconds since the world began. */
  readonly sinceBeginning: () => number;
  /** The server's own clock. */
  readonly now: () => number;
  /** Counts what changes: chores go slower while nothing does. */
  readonly activity: () => number;
  /** No action is open. */
  readonly isIdle: () => boolean;
  readonly broken: BrokenServer;
};

export type ServerProgram = ServerEndpoint & {
  readonly request: ReturnType<typeof requestLiveResponse>;
  readonly cancel: ReturnType<typeof cancelAction>;
  readonly find: ReturnType<typeof findAction>;
  readonly decide: ReturnType<typeof decideAction>;
};

/** By how much longer a chore waits each time that nothing has happened meanwhile. */
const STRETCH = 4;

const nextStretch = (stretch: number, isQuiet: boolean, isIdle: boolean): number => {
  if (!isQuiet) return 1;
  return isIdle ? Number.POSITIVE_INFINITY : stretch * STRETCH;
};

/** Chores at their intervals, but at ever longer ones while nothing happens: a world has no time to lose. */
const everyOf =
  (io: ServerIo, life: Life) =>
  (intervalMs: number, call: () => void): (() => void) => {
    let seen = -1;
    let stretch = 1;
    const again = () => {
      const activity = io.activity();
      stretch = nextStretch(stretch, activity === seen, io.isIdle());
      seen = activity;
      life.after(Math.max(intervalMs, Math.min(intervalMs * stretch, io.limits.longestTickMs)), () => {
        call();
        again();
      });
    };
    again();
    return () => {};
  };

const storeOf = (io: ServerIo, life: Life): Store => {
  const { writer, reader, log } = io.database.openedBy(life);
  const { maxGetBytes, maxOutputBytes } = io.limits;
  const real = storeOver(
    { writer, reader },
    {
      log: io.broken.log?.(log) ?? log,
      clock: { now: io.now },
      turn: () => life.sleep(0),
      envelopes: {
        sign: envelopeSigner(ENVELOPE_KEY.privateKey),
        terms: { maxGetBytes, maxOutputBytes, stopOnNonzeroExit: false },
      },
    },
  );
  const store = io.broken.store?.(real, io.database.raw) ?? real;
  return slowStore(store, { life, now: io.sinceBeginning, random: io.random.fork(), faults: io.faults });
};

/** Resolves when it listens. */
export const startServer = async (io: ServerIo, life: Life): Promise<ServerProgram> => {
  const { limits, now, trace } = io;
  const store = storeOf(io, life);
  const blobs = io.blobs.openedBy(life, now);
  const newId = () => guidOf(io.random);
  const onFault = (what: string, fault: unknown) => {
    if (!life.isOver()) trace.tell('server', `${what}: ${fault}`);
  };
  const engine = await openEngine({
    store,
    blobs: io.broken.blobs?.(blobs) ?? blobs,
    limits: limits.server,
    sealKey: SEAL_KEY,
    audience: AUDIENCE,
    announce: () => null,
    signReceipt: () => '',
    now,
    newId,
    newNonce: newId,
    turn: () => life.sleep(0),
    log: {
      info: () => {},
      warn: () => {},
      error: (about: unknown, message?: string) =>
        onFault(message ?? '', about instanceof Object && 'err' in about ? about.err : about),
    },
  });
  const { hints, clock, sessions, transfers, ticketBook: tickets, proofs, audience } = engine;
  const { actions, results } = store;
  startSweeper(
    { every: everyOf(io, life), onFault },
    chores(engine, () => {}),
  );
  const shown = io.broken.proofs?.(proofs) ?? proofs;
  const gate = transferGate({ tickets, machines: store.machines, proofs: shown, audience });
  const transfer = transferRoutes({
    sendLibraryFile: sendLibraryFile({ results, blobs: engine.blobs, gate, transfers }),
    receiveResult: receiveResult({
      results,
      blobs: engine.blobs,
      gate,
      transfers,
      limits: limits.server,
      now,
    }),
    sendResult: async () => new Response(null, { status: 404 }),
  });
  return {
    life,
    connections: deviceConnections(engine),
    answer: async (request, path) => {
      try {
        return (await transfer(request, path)) ?? new Response(null, { status: 404 });
      } catch (fault) {
        return errorAnswer(fault, 'request', onFault);
      }
    },
    request: requestLiveResponse({
      actions,
      findMachine: findActiveMachine({ machines: store.machines }),
      hints,
      dispatch: engine.engine,
      clock,
      newId,
      limits: limits.server,
      strictArgs: false,
    }),
    find: findAction({ actions }),
    cancel: cancelAction({ actions, link: sessions, hints, clock }),
    decide: decideAction({ actions, hints, clock }),
  };
};
