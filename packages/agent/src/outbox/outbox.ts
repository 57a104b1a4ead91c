/**
 * What is owed to the server goes out in the order in which it happened, and stays owed until the server says that it
 * is durable there. Results go before the report that speaks of them, small ones with it.
 */
import type { ActionId } from '@longarm/contract/ids';
import { INLINE_RESULT_BYTES } from '@longarm/contract/limits';
import { WHOLE_UPLOAD_BYTES } from '@longarm/contract/wire/protocol';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { InlineContent, Report, UploadedResult } from '@longarm/contract/wire/to-server';
import type { OwedReport, ResultSource } from '../journal/entries.ts';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../platform/log.ts';
import { withoutResult } from './without-result.ts';

/** Reports sent and not acknowledged. */
const IN_FLIGHT = 64;
/** How often the server may miss the uploads of one report before the report is told without them. */
const MISSES = 5;

export type Delivery =
  | { readonly kind: 'delivered' }
  /** Never: the server does not want it, or its bytes are gone. */
  | { readonly kind: 'impossible'; readonly sentence: string }
  | { readonly kind: 'stopped' };

export type DeliverResult = (what: {
  readonly actionId: ActionId;
  readonly index: number;
  readonly result: UploadedResult;
  readonly source: ResultSource | null;
  readonly stop: AbortSignal;
}) => Promise<Delivery>;

type OutboxIo = {
  readonly journal: Pick<Journal, 'nextOwed' | 'owed' | 'amend' | 'note' | 'onOwed'>;
  readonly deliver: DeliverResult;
  /** Comes round once: what is owed by then goes together, and a command starts before it is told. */
  readonly turn: () => Promise<void>;
  /** So many bytes of a spool file at once, null when they are not there. */
  readonly readSpool: (path: string, sizeBytes: number) => Uint8Array | null;
  /** Removes a spool file whose report was acknowledged; one that has gone is fine. */
  readonly removeSpool: (path: string) => void;
  readonly log: Log;
  /** The journal could not be written: the agent cannot go on. */
  readonly onFault: (fault: unknown) => void;
};

type Missing = Extract<FrameToAgent, { type: 'missing-uploads' }>;

export type Outbox = {
  /** A connection is there: owed reports go out on it, until `disconnected`. */
  readonly connected: (send: (report: Report) => void) => void;
  readonly disconnected: () => void;
  readonly acknowledge: (sequence: number) => void;
  readonly missingUploads: (missing: Missing) => void;
};

type Connection = {
  readonly send: (report: Report) => void;
  readonly closed: AbortController;
  /** The highest sequence that was sent. */
  sent: number;
};

/** A bell: `ring` wakes whoever waits now, or the next who does. */
const bell = () => {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    wait: async () => {
      await rung.promise;
      rung = Promise.withResolvers();
    },
  };
};

type Finished = OwedReport & { readonly fact: Extract<OwedReport['fact'], { kind: 'command-finished' }> };

const isFinished = (report: OwedReport): report is Finished => report.fact.kind === 'command-finished';

const sourceOf = ({ sources }: OwedReport, stream: ResultSource['stream']): ResultSource | null =>
  sources.find((source) => source.stream === stream) ?? null;

const deliverOne = async (io: OutboxIo, report: Finished, to: { result: UploadedResult; stop: AbortSignal }) => {
  const { actionId, index } = report.fact;
  const { stream } = to.result;
  const delivery = await io.deliver({ actionId, index, source: sourceOf(report, stream), ...to });
  if (delivery.kind === 'delivered') io.journal.note({ kind: 'uploaded', sequence: report.sequence, stream });
  if (delivery.kind !== 'impossible') return;
  io.log('warn', 'a result cannot be delivered', { actionId, index, reason: delivery.sentence });
  // as it is now: another result of it may have been amended meanwhile
  const current = io.journal.nextOwed(report.sequence - 1) ?? report;
  io.journal.amend(withoutResult(current, [stream], delivery.sentence));
};

const contentOf = (io: OutboxIo, source: ResultSource | null, sizeBytes: number): string | null => {
  if (source?.isSpool !== true) return null;
  if (source.content !== undefined) return source.content;
  const bytes = io.readSpool(source.path, sizeBytes);
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
};

/**
 * Results that need no upload: small ones, all that is due of their report, as long as the server has not missed any of
 * them. Null where they have to be uploaded.
 */
const contentsOf = (io: OutboxIo, report: Finished): readonly InlineContent[] | null => {
  const due = report.fact.results.filter(({ stream }) => !report.uploaded.includes(stream));
  const total = due.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > INLINE_RESULT_BYTES) return null;
  const contents: InlineContent[] = [];
  for (const { stream, sizeBytes } of due) {
    const content = contentOf(io, sourceOf(report, stream), sizeBytes);
    if (content === null) return null;
    contents.push({ stream, content });
  }
  return contents;
};

/** Sends results of the report that the server has not: small ones together, large ones one by one. False when there is none left. */
const deliverNext = async (io: OutboxIo, report: OwedReport, stop: AbortSignal): Promise<boolean> => {
  if (!isFinished(report)) return false;
  const due = report.fact.results.filter(({ stream }) => !report.uploaded.includes(stream));
  const small = due.filter(({ sizeBytes }) => sizeBytes <= WHOLE_UPLOAD_BYTES);
  const now = small.length > 0 ? small : due.slice(0, 1);
  await Promise.all(now.map((result) => deliverOne(io, report, { result, stop })));
  return now.length > 0;
};

/** What is owed next on this connection, or null: nothing, or too much on its way. */
const nextToSend = (io: OutboxIo, connection: Connection): OwedReport | null => {
  const inFlight = io.journal.owed().filter(({ sequence }) => sequence <= connection.sent).length;
  return inFlight >= IN_FLIGHT ? null : io.journal.nextOwed(connection.sent);
};

type Draining = {
  readonly wait: () => Promise<void>;
  /** The server missed uploads of this report before: what came with it was not what it should be. */
  readonly wasMissed: (sequence: number) => boolean;
};

const sendReport = (
  connection: Connection,
  { sequence, fact, steps }: OwedReport,
  contents: readonly InlineContent[],
) => {
  const inline = contents.length === 0 ? {} : { contents: [...contents] };
  connection.send({ type: 'report', sequence, fact, ...inline, ...(steps === undefined ? {} : { steps }) });
  connection.sent = sequence;
};

const drain = async (io: OutboxIo, connection: Connection, { wait, wasMissed }: Draining): Promise<void> => {
  const stop = connection.closed.signal;
  while (!stop.aborted) {
    const report = nextToSend(io, connection);
    if (report === null) {
      await wait();
      await io.turn();
      continue;
    }
    const contents = isFinished(report) && !wasMissed(report.sequence) ? contentsOf(io, report) : null;
    if (contents !== null) sendReport(connection, report, contents);
    else if (!(await deliverNext(io, report, stop)) && !stop.aborted) sendReport(connection, report, []);
  }
};

export const outbox = (io: OutboxIo): Outbox => {
  const misses = new Map<number, number>();
  const { ring, wait } = bell();
  let connection: Connection | null = null;
  let draining: Promise<void> = Promise.resolve();
  io.journal.onOwed(ring);

  const disconnect = () => {
    connection?.closed.abort();
    connection = null;
    ring();
  };

  const wasMissed = (sequence: number) => misses.has(sequence);

  const rewind = (sequence: number) => {
    if (connection !== null) connection.sent = Math.min(connection.sent, sequence - 1);
    ring();
  };

  return {
    connected: (send) => {
      disconnect();
      const opened: Connection = { send, closed: new AbortController(), sent: 0 };
      connection = opened;
      // one after another: an upload of the last connection lets go first
      draining = draining.then(() => drain(io, opened, { wait, wasMissed })).catch(io.onFault);
    },
    disconnected: disconnect,
    acknowledge: (sequence) => {
      const done = io.journal.owed().filter((report) => report.sequence <= sequence);
      if (done.length === 0) return;
      io.journal.note({ kind: 'acknowledged', sequence });
      for (const report of done) {
        misses.delete(report.sequence);
        for (const { path, isSpool } of report.sources) if (isSpool) io.removeSpool(path);
      }
      ring();
    },
    missingUploads: ({ sequence, streams }) => {
      const report = io.journal.nextOwed(sequence - 1);
      if (report?.sequence !== sequence || report.fact.kind !== 'command-finished') return;
      const missed = (misses.get(sequence) ?? 0) + 1;
      misses.set(sequence, missed);
      const { results } = report.fact;
      const isSendable = streams.every((stream) => results.some((result) => result.stream === stream));
      if (isSendable && missed <= MISSES) io.journal.note({ kind: 'missing', sequence, streams });
      else io.journal.amend(withoutResult(report, streams, `the server did not get: ${streams.join(', ')}`));
      rewind(sequence);
    },
  };
};
