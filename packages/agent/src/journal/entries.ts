/** What the journal's records say. A record is a list of entries that became true together. */
import { ActionId } from '@longarm/contract/ids';
import { RESULT_STREAMS } from '@longarm/contract/result';
import { EnvelopePayload } from '@longarm/contract/wire/envelope';
import { DeviceStep, Fact } from '@longarm/contract/wire/to-server';
import { z } from 'zod';

const Stream = z.enum(RESULT_STREAMS);
const Index = z.int().min(0);
const Sequence = z.int().min(1);

/** Where the bytes of a result lie on this device, so that they can be sent, and sent again. */
export const ResultSource = z.strictObject({
  stream: Stream,
  path: z.string(),
  /** Our own copy, removed once the report is acknowledged; otherwise the collected file itself. */
  isSpool: z.boolean(),
  /** The bytes themselves, base64, where they are few: the file beside them need not be on the disk, nor be there any more. */
  content: z.string().optional(),
});
export type ResultSource = z.infer<typeof ResultSource>;

/** A fact that the server has not acknowledged. */
export const OwedReport = z.strictObject({
  sequence: Sequence,
  fact: Fact,
  sources: z.array(ResultSource),
  /** Streams that the server has. */
  uploaded: z.array(Stream),
  steps: z.array(DeviceStep).optional(),
});
export type OwedReport = z.infer<typeof OwedReport>;

/** What was started: pid and start time name it for as long as the device runs. */
const StartedProcess = z.strictObject({
  index: Index,
  pid: z.int().positive(),
  startTime: z.string().nullable(),
  bootId: z.string(),
});
export type StartedProcess = z.infer<typeof StartedProcess>;

export const ActionRecord = z.strictObject({
  actionId: ActionId,
  /** Null when nothing of it is to be done: refused, ended, or never heard of. */
  payload: EnvelopePayload.nullable(),
  /** The device's start in which it was accepted. */
  bootId: z.string(),
  ticket: z.string().nullable(),
  /** Index of the first command that has not finished. */
  next: Index,
  /** That command was started. */
  isStarted: z.boolean(),
  hasFailed: z.boolean(),
  process: StartedProcess.nullable(),
  isCancelled: z.boolean(),
  ended: z.enum(['done', 'cancelled', 'interrupted', 'unknown', 'refused']).nullable(),
  /** Server time until which an offer of this id has to be recognised. */
  keepUntil: z.int(),
});
export type ActionRecord = z.infer<typeof ActionRecord>;

/** A device's counter of envelopes. */
export const EnvelopeCounter = z.strictObject({ epoch: z.int(), counter: z.int() });
export type EnvelopeCounter = z.infer<typeof EnvelopeCounter>;

/** The whole state: what compaction writes in place of everything before. */
export const Snapshot = z.strictObject({
  nextSequence: Sequence,
  lastCounter: EnvelopeCounter,
  /** The latest server time that was learned, milliseconds since 1970; null before the first contact. */
  serverTime: z.int().nullable(),
  actions: z.array(ActionRecord),
  owed: z.array(OwedReport),
});
export type Snapshot = z.infer<typeof Snapshot>;

export const Entry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('snapshot'), snapshot: Snapshot }),
  z.strictObject({
    kind: z.literal('offered'),
    payload: EnvelopePayload,
    ticket: z.string(),
    bootId: z.string(),
  }),
  z.strictObject({ kind: z.literal('fact'), report: OwedReport }),
  /** What is owed under a sequence is told otherwise: a result could not be delivered. */
  z.strictObject({ kind: z.literal('amended'), report: OwedReport }),
  z.strictObject({ kind: z.literal('process'), actionId: ActionId, process: StartedProcess }),
  z.strictObject({ kind: z.literal('uploaded'), sequence: Sequence, stream: Stream }),
  z.strictObject({ kind: z.literal('missing'), sequence: Sequence, streams: z.array(Stream) }),
  z.strictObject({ kind: z.literal('acknowledged'), sequence: z.int().min(0) }),
  z.strictObject({ kind: z.literal('ticket'), actionId: ActionId, ticket: z.string() }),
  z.strictObject({ kind: z.literal('server-time'), at: z.int() }),
]);
export type Entry = z.infer<typeof Entry>;

export const JournalRecord = z.array(Entry);
