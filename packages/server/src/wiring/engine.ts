/** The wiring of what lies below the doors: hints, tickets, the way to devices, and the dispatcher, over store and blobs. */
import type { EpochMs } from '@longarm/contract/instant';
import type { Limits } from '@longarm/contract/limits';
import type { KeyReceipt } from '@longarm/contract/wire/device-key';
import { auditTally } from '../audit/tally.ts';
import { writeTally } from '../audit/write-tally.ts';
import type { Announce } from '../auth/certificates/trust-statement.ts';
import { proofWindow } from '../auth/proof-window.ts';
import { tickets } from '../auth/ticket.ts';
import { liveOutput } from '../bus/live-output.ts';
import { localBus } from '../bus/local.ts';
import { transferProgress } from '../bus/transfer-progress.ts';
import type { ServerConfig } from '../config.ts';
import type { DataFolder } from '../data-folder.ts';
import { dispatcher } from '../dispatch/dispatcher.ts';
import { gatewaySessions, type Sessions } from '../gateway/sessions.ts';
import type { BlobStore } from '../library/ports.ts';
import { smallFiles } from '../library/small-files.ts';
import type { Store } from '../store/open-store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { deviceGuards } from './device-guards.ts';
import { offerPace } from './paces.ts';
import type { Tracing } from './traces.ts';

/** What everything is made of. */
export type World = {
  readonly config: ServerConfig;
  readonly folder: DataFolder;
  readonly log: Log;
  readonly metrics: Metrics | null;
  readonly tracing: Tracing | null;
};

/** What the engine is made of: the real things, or those of the simulation in `tests/sim`. */
export type EngineIo = {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly limits: Limits;
  /** Seals tickets. */
  readonly sealKey: Uint8Array;
  /** Who devices prove themselves to. */
  readonly audience: string;
  /** What devices are told to trust the server by. */
  readonly announce: Announce;
  /** The word that a device's key holds, signed by the envelope key. */
  readonly signReceipt: (receipt: KeyReceipt) => string;
  readonly now: () => EpochMs;
  readonly newId: () => string;
  readonly newNonce: () => string;
  /** Comes round once: what arrived together is here. */
  readonly turn: () => Promise<void>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** What offers carry where actions are traced. */
  readonly offered?: Tracing['offered'] | undefined;
  /** Whoever counts what goes to devices. */
  readonly watched?: ((sessions: Sessions) => Sessions) | undefined;
};

const asTheyAre = (sessions: Sessions): Sessions => sessions;

/** Opens the parts below the doors: no connection has survived whatever was before. */
export const openEngine = async (io: EngineIo) => {
  const { store, limits, now, log } = io;
  const clock = { now };
  await store.machines.disconnectAll();
  const hints = localBus();
  const ticketBook = tickets({ key: io.sealKey, now });
  const proofs = proofWindow({ now });
  const sessions = (io.watched ?? asTheyAre)(
    gatewaySessions({
      tickets: ticketBook,
      newNonce: io.newNonce,
      smallFiles: smallFiles(io.blobs),
      offered: io.offered,
    }),
  );
  const engine = dispatcher({
    actions: store.actions,
    link: sessions,
    clock,
    limits,
    mayOffer: offerPace(io),
    onFault: (fault, machineId) =>
      log.error({ err: fault, machineId }, 'a claim failed; the next tick makes up for it'),
  });
  hints.connect(engine);
  const transfers = transferProgress({ hints, now });
  const live = liveOutput({ link: sessions, newId: io.newId });
  const tally = auditTally(now);
  const writeTallied = writeTally({ audit: store.audit, tally, strangersTenant: store.access.defaultTenant });
  return {
    ...io,
    guards: deviceGuards(io),
    tally,
    writeTallied,
    live,
    clock,
    hints,
    transfers,
    ticketBook,
    proofs,
    sessions,
    engine,
  };
};

export type Engine = Awaited<ReturnType<typeof openEngine>>;
