/** One run of the agent: the real journal, inbox, runner, outbox and link, on simulated things. */
import { transferProver } from '@longarm/agent/identity/transfer-proof';
import type { Journal } from '@longarm/agent/journal/journal';
import { openJournal } from '@longarm/agent/journal/journal';
import { serverClock } from '@longarm/agent/link/server-clock';
import type { Dial } from '@longarm/agent/link/socket';
import type { DeliverResult } from '@longarm/agent/outbox/outbox';
import type { LogDisk } from '@longarm/agent/platform/log-disk';
import { deliverResult, openedBytes } from '@longarm/agent/runner/deliver-result';
import type { TransferIo } from '@longarm/agent/transfer/transfer-io';
import { type Device, startDevice } from '@longarm/agent/wiring/device';
import { sha256Of } from './blobs.ts';
import { type CommandsIo, leftOver, runCommand } from './commands.ts';
import { AUDIENCE, type DeviceKey, ENVELOPE_KEY, factsOf, TENANT } from './founding.ts';
import type { JournalMedium } from './journal-disk.ts';
import type { Life } from './life.ts';
import type { DeviceNetwork } from './network.ts';
import type { Processes } from './processes.ts';
import { guidOf, type Random } from './random.ts';
import type { Trace } from './trace.ts';

/** Parts that a test breaks on purpose. */
export type BrokenDevice = {
  readonly disk?: (disk: LogDisk) => LogDisk;
  readonly journal?: (journal: Journal) => Journal;
  readonly deliver?: (deliver: DeliverResult) => DeliverResult;
  readonly dial?: (dial: Dial) => Dial;
};

export type DeviceProgramIo = Pick<CommandsIo, 'spool' | 'unsynced' | 'onBegun'> & {
  readonly index: number;
  readonly key: DeviceKey;
  readonly medium: JournalMedium;
  readonly processes: Processes;
  readonly network: DeviceNetwork;
  readonly random: Random;
  readonly trace: Trace;
  /** This start of the device. */
  readonly bootId: string;
  /** The device's own clock, which may be wrong. */
  readonly localNow: () => number;
  readonly monotonic: () => number;
  /** What a command came to. */
  readonly onEnd: (actionId: string, index: number, end: Awaited<ReturnType<ReturnType<typeof runCommand>>>) => void;
  readonly broken: BrokenDevice;
};

export type DeviceProgram = { readonly device: Device; readonly journal: Journal };

const opened = ({ medium, broken }: DeviceProgramIo, life: Life): Journal => {
  const disk = medium.openedBy(life);
  const { journal } = openJournal(broken.disk?.(disk) ?? disk);
  return broken.journal?.(journal) ?? journal;
};

/** What happens in the world is told by it; of what a run of the agent says nobody hears once it is over. */
const deliveryOf = (io: DeviceProgramIo, transfer: TransferIo) => (tickets: Parameters<typeof deliverResult>[1]) => {
  const deliver = deliverResult(transfer, tickets, async (path) => {
    const bytes = io.spool.get(path);
    if (bytes === undefined) throw new Error(`ENOENT: ${path}`);
    return openedBytes(bytes);
  });
  return io.broken.deliver?.(deliver) ?? deliver;
};

/** Rejects when the journal cannot be opened or written. */
export const startAgent = async (io: DeviceProgramIo, life: Life): Promise<DeviceProgram> => {
  const { key, random, spool, unsynced, processes, network, monotonic, onBegun, broken } = io;
  const journal = opened(io, life);
  const log = () => {};
  let heartbeatMs = 30_000;
  const clock = serverClock(monotonic, journal.serverTime() ?? io.localNow());
  const identity = { machineId: key.machineId, audience: AUDIENCE };
  const transfer: TransferIo = {
    request: network.request(life),
    prove: transferProver({ identity, keys: key, now: clock.now, newNonce: () => guidOf(random) }),
    after: life.after,
    random: random.next,
    log,
    heartbeatMs: () => heartbeatMs,
  };
  const commands: CommandsIo = { life, random, processes, spool, unsynced, transfer, onBegun };
  const run = runCommand(commands);
  const device = await startDevice({
    journal,
    identity: {
      ...identity,
      tenantId: TENANT,
      envelopeKey: ENVELOPE_KEY.publicKey,
      serverUrl: 'http://server',
    },
    keys: {
      proofs: (text) => ({ proof: key.sign(text) }),
      isWanted: () => false,
      claim: () => {
        throw new Error('nobody asks for another key here');
      },
      take: () => false,
    },
    facts: () => factsOf(io.index),
    hardwareId: sha256Of(new TextEncoder().encode(key.machineId)),
    generation: { last: () => null, keep: () => false },
    trust: { trusted: () => [], take: () => ({ kind: 'refused', reason: 'there is no TLS here' }) },
    clock,
    after: life.after,
    random: random.next,
    monotonic,
    log,
    bootId: io.bootId,
    runCommand: async (order) => {
      const end = await run(order);
      if (!life.isOver()) io.onEnd(order.actionId, order.index, end);
      return end;
    },
    leftOver: leftOver(commands),
    deliver: deliveryOf(io, transfer),
    turn: () => life.sleep(0),
    // most of them go by upload, small as they all are here
    readSpool: (path) => (broken.deliver !== undefined || random.next() < 0.7 ? null : (spool.get(path) ?? null)),
    removeSpool: (path) => void (life.isOver() || spool.delete(path)),
    sweepSpool: (inUse) => {
      for (const path of [...spool.keys()])
        if (!life.isOver() && path.startsWith('spool/') && !inUse.has(path)) spool.delete(path);
    },
    live: { connected: () => {}, disconnected: () => {}, hear: () => {} },
    dial: io.broken.dial?.(network.dial(life)) ?? network.dial(life),
    diagnose: async () => null,
    onWelcome: (ms) => {
      heartbeatMs = ms;
      io.trace.tell(`device ${io.index}`, 'connected');
    },
    stir: () => {},
  });
  return { device, journal };
};
