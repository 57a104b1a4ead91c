/**
 * The agent between its disk and its network, wired by hand: journal, inbox, runner, outbox and link, whatever files,
 * processes and sockets are made of. `start.ts` hands it the real ones, the simulation (`tests/sim`) its own.
 */
import type { Sha256 } from '@longarm/contract/ids';
import { connectProofText, PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import type { GenerationKeeper } from '../identity/generation.ts';
import type { Identity } from '../identity/identity-file.ts';
import type { KeyRing } from '../identity/key-ring.ts';
import type { TrustKeeper } from '../identity/trust-keeper.ts';
import { inbox } from '../inbox/inbox.ts';
import { offerMemo } from '../inbox/offer-memo.ts';
import type { Journal } from '../journal/journal.ts';
import { type Link, type LinkIo, link } from '../link/keep-connected.ts';
import type { ServerClock } from '../link/server-clock.ts';
import { type DeliverResult, type Outbox, outbox } from '../outbox/outbox.ts';
import { faultText } from '../platform/fault.ts';
import type { Platform } from '../platform/platform.ts';
import { type After, pause } from '../platform/timers.ts';
import { recover } from '../runner/recover.ts';
import { runner } from '../runner/runner.ts';
import type { RunnerIo } from '../runner/runner-io.ts';
import { type Tickets, ticketsOf } from '../runner/tickets.ts';

/** Actions told of in one `prove`; the contract's bound. More than one is rare. */
const JOURNALED = 1_000;

export type DeviceIo = Pick<RunnerIo, 'runCommand' | 'leftOver' | 'bootId'> &
  Pick<LinkIo, 'dial' | 'live' | 'diagnose' | 'monotonic' | 'random'> & {
    readonly journal: Journal;
    readonly identity: Pick<Identity, 'machineId' | 'tenantId' | 'audience' | 'envelopeKey' | 'serverUrl'>;
    readonly keys: Pick<KeyRing, 'proofs' | 'isWanted' | 'claim' | 'take'>;
    readonly facts: Platform['facts'];
    readonly hardwareId: Sha256;
    readonly generation: GenerationKeeper;
    readonly trust: Pick<TrustKeeper, 'take' | 'trusted'>;
    readonly clock: ServerClock;
    readonly after: After;
    readonly log: RunnerIo['log'];
    readonly deliver: (tickets: Tickets) => DeliverResult;
    /** The event loop comes round once. */
    readonly turn: () => Promise<void>;
    readonly readSpool: (path: string, sizeBytes: number) => Uint8Array | null;
    readonly removeSpool: (path: string) => void;
    /** Recovery is through: nothing but these spool files is referred to any more. */
    readonly sweepSpool: (inUse: ReadonlySet<string>) => void;
    /** Told each time that the server let this device in, and how often it wants to hear from it. */
    readonly onWelcome: LinkIo['onWelcome'];
    /** Something was taken by the server: the agent may be about to rest. */
    readonly stir: () => void;
  };

export type Device = {
  /** Settles when the agent has ended: resolves after `stop`, rejects when it cannot go on. */
  readonly ended: Promise<void>;
  /** Stops what runs, then the connection. */
  readonly stop: () => void;
};

const shown = (generation: string | null) => (generation === null ? {} : { generation });

const keepTrust = ({ trust, log }: DeviceIo, statement: string): readonly Sha256[] | null => {
  const outcome = trust.take(statement);
  if (outcome.kind === 'kept') {
    log('info', 'the server is trusted by these authorities from now on', { sha256: outcome.trusted.join(' ') });
    return outcome.trusted;
  }
  log('warn', 'a statement of trust was not believed', { reason: outcome.reason });
  return null;
};

/** The disk may refuse: the key in force goes on then, and the next connection tries again. */
const keyTurns = ({ keys, clock, log }: DeviceIo): LinkIo['keys'] => {
  const attempt = <Result>(work: () => Result, otherwise: Result): Result => {
    try {
      return work();
    } catch (fault) {
      log('warn', 'this device could not change its key', { reason: faultText(fault) });
      return otherwise;
    }
  };
  return {
    isWanted: keys.isWanted,
    claim: (nonce) => attempt(() => keys.claim(nonce, clock.now()), null),
    take: (receipt) => {
      if (attempt(() => keys.take(receipt), false)) log('info', 'this device has another key from now on', {});
      else log('warn', 'a receipt of a key was not taken', {});
    },
  };
};

const connection = (io: DeviceIo, doors: Pick<LinkIo, 'inbox' | 'outbox'>): Link => {
  const { identity, keys, journal, clock } = io;
  const { machineId, audience, serverUrl } = identity;
  return link({
    ...doors,
    live: io.live,
    dial: io.dial,
    prove: (nonce) => ({
      type: 'prove',
      protocol: PROTOCOL_VERSION,
      machineId,
      ...keys.proofs(connectProofText({ nonce, machineId, audience })),
      renewsKey: true,
      facts: io.facts(),
      journaled: journal.unreported().slice(0, JOURNALED),
      hardwareId: io.hardwareId,
      ...shown(io.generation.last()),
      trusted: [...io.trust.trusted()],
    }),
    keepGeneration: io.generation.keep,
    learnTime: clock.learn,
    keys: keyTurns(io),
    keepTrust: (statement) => keepTrust(io, statement),
    onWelcome: (heartbeatMs) => {
      journal.note({ kind: 'server-time', at: clock.now() });
      io.log('info', 'connected', { machineId, server: serverUrl });
      io.onWelcome(heartbeatMs);
      io.stir();
    },
    diagnose: io.diagnose,
    monotonic: io.monotonic,
    after: io.after,
    random: io.random,
    pause: (delayMs, signal) => pause(io.after, delayMs, signal),
    log: io.log,
  });
};

/** Everything that is owed may refer to a spool file; nothing else does once recovery is through. */
const spoolInUse = (journal: Journal): ReadonlySet<string> =>
  new Set(journal.owed().flatMap(({ sources }) => sources.map(({ path }) => path)));

/** Whenever the server has taken something, the agent may be about to rest. */
const stirring = (box: Outbox, stir: () => void): Outbox => ({
  ...box,
  acknowledge: (sequence) => {
    box.acknowledge(sequence);
    stir();
  },
});

/** Settles what the last run left, then connects. Rejects when the journal cannot be written. */
export const startDevice = async (io: DeviceIo): Promise<Device> => {
  const { journal, identity, bootId, clock, log } = io;
  const failure = Promise.withResolvers<never>();
  const onFault = failure.reject;
  let renew = () => {};
  const tickets = ticketsOf(journal, () => renew());
  const { runCommand, leftOver, after } = io;
  const memo = offerMemo();
  const { monotonic } = io;
  const parts = { journal, runCommand, leftOver, bootId, tickets, memo };
  const running: RunnerIo = { ...parts, now: clock.now, monotonic, after, log };
  const actions = runner(running, onFault);
  const goOn = await recover(running);
  io.sweepSpool(spoolInUse(journal));
  const deliver = io.deliver(tickets);
  const connected = connection(io, {
    outbox: stirring(
      outbox({
        journal,
        deliver,
        turn: io.turn,
        readSpool: io.readSpool,
        removeSpool: io.removeSpool,
        log,
        onFault,
      }),
      io.stir,
    ),
    inbox: inbox({
      journal,
      identity,
      bootId,
      now: clock.now,
      log,
      memo,
      isIdle: actions.isIdle,
      begin: actions.begin,
      cancelRun: actions.cancel,
    }),
  });
  renew = connected.renew;
  for (const actionId of goOn) actions.begin(actionId);
  const shutDown = async () => {
    await actions.stop();
    connected.stop();
  };
  const ended = Promise.race([connected.run(), failure.promise]).catch(async (fault) => {
    await shutDown();
    throw fault;
  });
  return { ended, stop: () => void shutDown().catch(onFault) };
};
