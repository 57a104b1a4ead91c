/** Frames from the server to the agent. The agent ignores none: what it cannot read closes the connection. */
import { z } from 'zod';
import { ActionId, Sha256 } from '../ids.ts';
import { INLINE_FILE_BYTES, OFFER_FILES, OUTPUT_FRAMES_AHEAD } from '../limits.ts';
import { RESULT_STREAMS } from '../result.ts';
import { TRUST_CHARACTERS } from './authorities.ts';
import { KEY_RECEIPT_CHARACTERS } from './device-key.ts';
import { WatchId } from './live-output.ts';

export const Hello = z.strictObject({
  type: z.literal('hello'),
  protocol: z.int(),
  /** To be signed: `connectProofText`. */
  nonce: z.string().max(128),
  /** Milliseconds since 1970. */
  serverTime: z.int(),
});

export const Welcome = z.strictObject({
  type: z.literal('welcome'),
  serverTime: z.int(),
  heartbeatSeconds: z.number().positive(),
  /** To be kept on the disk, and shown with the next `prove`: two devices with one state are told apart by it. */
  generation: z.string().max(64).optional(),
});

/** A ticket lets the agent transfer for one action: its pinned library files down, its results up. */
const Ticket = z.string().max(2_048);

const InlineFile = z.strictObject({
  sha256: Sha256,
  content: z.string().max(Math.ceil(INLINE_FILE_BYTES / 3) * 4),
});
export type InlineFile = z.infer<typeof InlineFile>;

export const Offer = z.strictObject({
  type: z.literal('offer'),
  actionId: ActionId,
  /** JWS, compact; see envelope.ts. */
  envelope: z.string(),
  ticket: Ticket,
  /** Raw bytes of small library files that the envelope names, base64; what is not here is fetched. */
  files: z.array(InlineFile).max(OFFER_FILES).optional(),
  /** W3C Trace Context of the action, where it is traced: the device tells then what its parts take. */
  traceparent: z.string().max(128).optional(),
});

/** A fresh ticket for an action that the device holds already, on connect. */
export const Resume = z.strictObject({ type: z.literal('resume'), actionId: ActionId, ticket: Ticket });

/**
 * Stop this action and report evidence only. The server's record of it is final already, so that nothing the device
 * says changes its status. A device that never heard of it answers `action-ended` with `unknown` all the same.
 */
export const Cancel = z.strictObject({
  type: z.literal('cancel'),
  actionId: ActionId,
  reason: z.string().max(2_000),
  ticket: Ticket,
});

/** Everything up to and including this report is durable at the server; the device may forget it. */
export const Acknowledge = z.strictObject({ type: z.literal('acknowledge'), sequence: z.int().min(0) });

/** The report needs these uploads first: the server has not got them, or has other bytes. */
export const MissingUploads = z.strictObject({
  type: z.literal('missing-uploads'),
  sequence: z.int().min(1),
  actionId: ActionId,
  index: z.int().min(0),
  streams: z.array(z.enum(RESULT_STREAMS)),
});

export const HeartbeatAnswer = z.strictObject({ type: z.literal('heartbeat'), serverTime: z.int() });

const Frames = z.int().min(0).max(OUTPUT_FRAMES_AHEAD);
const Offset = z.int().min(0);

/**
 * Somebody looks on while a script runs: send its output from these places of the raw streams on, at most so many
 * `output` frames until `watch-more` allows for more. The connection's end ends it. A hint: nothing is owed.
 */
export const Watch = z.strictObject({
  type: z.literal('watch'),
  watchId: WatchId,
  actionId: ActionId,
  index: z.int().min(0),
  from: z.strictObject({ stdout: Offset, stderr: Offset }),
  frames: Frames,
});

export const WatchMore = z.strictObject({ type: z.literal('watch-more'), watchId: WatchId, frames: Frames });

/** Nobody looks on any more. */
export const Unwatch = z.strictObject({ type: z.literal('unwatch'), watchId: WatchId });

/** The authorities that the server is trusted by from now on, signed by its envelope key; see authorities.ts. */
export const Trust = z.strictObject({ type: z.literal('trust'), statement: z.string().max(TRUST_CHARACTERS) });

/** Make another key, have the one in force certify it over this nonce, and send `new-key`; see device-key.ts. */
export const RenewKey = z.strictObject({ type: z.literal('renew-key'), nonce: z.string().max(128) });

/** The next key is stored and holds: the other one is refused from now on. Also after a `prove` by the next key. */
export const KeyKept = z.strictObject({
  type: z.literal('key-kept'),
  receipt: z.string().max(KEY_RECEIPT_CHARACTERS),
});

/** Said before the server closes the connection on purpose. */
export const Goodbye = z.strictObject({
  type: z.literal('goodbye'),
  reason: z.string().max(2_000),
  /** Seconds to stay away at least. */
  retryAfterSeconds: z.number().min(0),
});

export const FrameToAgent = z.discriminatedUnion('type', [
  Hello,
  Welcome,
  Offer,
  Resume,
  Cancel,
  Acknowledge,
  MissingUploads,
  HeartbeatAnswer,
  Watch,
  WatchMore,
  Unwatch,
  Trust,
  RenewKey,
  KeyKept,
  Goodbye,
]);
export type FrameToAgent = z.infer<typeof FrameToAgent>;
export type FrameToAgentType = FrameToAgent['type'];
export type WatchFrame = Extract<FrameToAgent, { type: 'watch' | 'watch-more' | 'unwatch' }>;
