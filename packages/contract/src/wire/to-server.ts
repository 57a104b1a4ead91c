/** Frames from the agent to the server. One strict decoder reads them all; nothing else an agent says is believed. */
import { z } from 'zod';
import { ActionId, MachineId, Sha256 } from '../ids.ts';
import { COMMAND_ERROR_CHARACTERS, COMMAND_ERRORS, INLINE_RESULT_BYTES } from '../limits.ts';
import { RESULT_STREAMS } from '../result.ts';
import { AUTHORITIES_AT_ONCE } from './authorities.ts';
import { PublicKeyText } from './enrolment.ts';
import { DeviceFacts } from './facts.ts';
import { Output } from './live-output.ts';

/** Fingerprints of the authorities that the device believes; none where it goes by its system's. */
const Trusted = z.array(Sha256).max(AUTHORITIES_AT_ONCE);

/** The answer to `hello`: who this is, proven, and which actions its journal holds and has not fully reported. */
export const Prove = z.strictObject({
  type: z.literal('prove'),
  protocol: z.int(),
  machineId: MachineId,
  /** Ed25519 over `connectProofText`, base64url. */
  proof: z.string().max(128),
  facts: DeviceFacts,
  journaled: z.array(ActionId).max(1_000),
  /** As at enrolment. */
  hardwareId: Sha256.optional(),
  /** Of the last `welcome` that was kept. */
  generation: z.string().max(64).optional(),
  /** Left out by agents that do not understand `trust`. */
  trusted: Trusted.optional(),
  /** The same by the next key, while that is on its way: the server believes the one that it has. */
  nextProof: z.string().max(128).optional(),
  /** Left out by agents that do not understand `renew-key`. */
  renewsKey: z.literal(true).optional(),
});

/** The generation of this connection's `welcome` is on the disk. */
const GenerationKept = z.strictObject({ type: z.literal('generation-kept') });

/** What `trust` said is on the disk: the device believes these from now on. */
const TrustKept = z.strictObject({ type: z.literal('trust-kept'), trusted: Trusted });

/** Somebody on the device wants another key, or it is old enough: answered with `renew-key`. */
const KeyWanted = z.strictObject({ type: z.literal('key-wanted') });

/** The next key, certified by the one in force, and proven to be held: both sign `keyClaimText`, base64url. */
const NewKey = z.strictObject({
  type: z.literal('new-key'),
  number: z.int().min(2),
  publicKey: PublicKeyText,
  /** Server time as the device knows it, milliseconds since 1970. */
  at: z.int(),
  certification: z.string().max(128),
  proof: z.string().max(128),
});

const Errors = z.array(z.string().max(COMMAND_ERROR_CHARACTERS)).max(COMMAND_ERRORS);
const Index = z.int().min(0).max(10_000);
/** Server time as the device knows it, milliseconds since 1970. */
const At = z.int();

export const UploadedResult = z.strictObject({
  stream: z.enum(RESULT_STREAMS),
  sha256: Sha256,
  sizeBytes: z.int().min(0),
  /** What the device calls the file: data only, shown in Content-Disposition. */
  name: z.string().max(1_024),
  /** Bytes that the command made and the limit cut; 0 when the result is whole. */
  cutBytes: z.int().min(0),
});
export type UploadedResult = z.infer<typeof UploadedResult>;

/** Facts about one action, in the order in which they happened. */
export const Fact = z.discriminatedUnion('kind', [
  /** Verified and journaled: the device will do it, or say why not. */
  z.strictObject({ kind: z.literal('accepted'), actionId: ActionId, at: At }),
  /** Never to be done; the reason says why. */
  z.strictObject({
    kind: z.literal('refused'),
    actionId: ActionId,
    at: At,
    reason: z.string().max(COMMAND_ERROR_CHARACTERS),
  }),
  z.strictObject({ kind: z.literal('command-started'), actionId: ActionId, index: Index, at: At }),
  z.strictObject({
    kind: z.literal('command-finished'),
    actionId: ActionId,
    index: Index,
    at: At,
    outcome: z.enum(['Completed', 'Failed']),
    errors: Errors,
    exitCode: z.int().nullable(),
    results: z.array(UploadedResult).max(RESULT_STREAMS.length),
  }),
  /** The device heard a cancel and is stopping. */
  z.strictObject({ kind: z.literal('cancel-heard'), actionId: ActionId, at: At }),
  /** Nothing of this action runs here any more, and nothing of it ever will. */
  z.strictObject({
    kind: z.literal('action-ended'),
    actionId: ActionId,
    at: At,
    how: z.enum(['done', 'cancelled', 'interrupted', 'unknown']),
  }),
]);
export type Fact = z.infer<typeof Fact>;
export type FactKind = Fact['kind'];

/** Raw bytes of a small result, base64: they have the hash and the size that the report says, or count for nothing. */
export const InlineContent = z.strictObject({
  stream: z.enum(RESULT_STREAMS),
  content: z.string().max(Math.ceil(INLINE_RESULT_BYTES / 3) * 4),
});
export type InlineContent = z.infer<typeof InlineContent>;

/** Parts of a command that take a device its time: a file fetched, a process run to its end, a file sent. */
export const DEVICE_STEPS = ['fetch', 'run', 'send'] as const;
export const DeviceStep = z.strictObject({
  name: z.enum(DEVICE_STEPS),
  /** Server time as the device knows it, milliseconds since 1970. */
  startedAt: z.number(),
  milliseconds: z.number().min(0),
});
export type DeviceStep = z.infer<typeof DeviceStep>;

/** A fact from the device's outbox. Sequences rise by one per state folder and are resent until acknowledged. */
export const Report = z.strictObject({
  type: z.literal('report'),
  sequence: z.int().min(1),
  fact: Fact,
  /** Results of a finished command that need no upload of their own: `INLINE_RESULT_BYTES` in all at most. */
  contents: z.array(InlineContent).max(RESULT_STREAMS.length).optional(),
  /** What the command's parts took, where the offer was traced. */
  steps: z.array(DeviceStep).max(DEVICE_STEPS.length).optional(),
});
export type Report = z.infer<typeof Report>;

export const Heartbeat = z.strictObject({ type: z.literal('heartbeat') });

export const FrameToServer = z.discriminatedUnion('type', [
  Prove,
  GenerationKept,
  TrustKept,
  KeyWanted,
  NewKey,
  Report,
  Heartbeat,
  Output,
]);
export type FrameToServer = z.infer<typeof FrameToServer>;
