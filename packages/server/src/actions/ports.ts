/**
 * What the actions room needs of the world. Each method of a store port is one atomic unit of work (semantics 28):
 * it happens wholly and durably before it resolves, or not at all.
 */
import type { FinalStatus } from '@longarm/contract/action';
import type { Command } from '@longarm/contract/commands/index';
import type { SentCommand } from '@longarm/contract/commands/types';
import type { ActionId, MachineId, Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import type { ResultStream } from '@longarm/contract/result';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { DeviceStep, Fact } from '@longarm/contract/wire/to-server';
import type { Origin } from '../audit/ports.ts';
import type { DeviceGroups, Reach } from '../audit/reach.ts';
import type { ActionRecord } from './action-record.ts';
import type { Principal } from './same-person.ts';

export type NewCommand = { readonly sent: SentCommand; readonly command: Command; readonly timeLimitSeconds: number };

export type NewAction = {
  readonly id: ActionId;
  readonly tenantId: TenantId;
  readonly deviceGroups: DeviceGroups;
  readonly machineId: MachineId;
  readonly requestor: string;
  readonly origin: Origin;
  /** Who may not be the second person. */
  readonly requester: Principal;
  /** Who counts as one caller for idempotency. */
  readonly caller: string;
  readonly comment: string;
  readonly commands: readonly NewCommand[];
  readonly idempotency: { readonly key: string; readonly bodySha256: string; readonly expiresAt: EpochMs } | null;
  readonly now: EpochMs;
  readonly queueMs: number;
  readonly runMs: number;
  readonly maxUnfinishedPerMachine: number;
  readonly maxSessions: number;
  /** The machine's connection is here and free: the action is claimed in the same unit where nothing stands before it. */
  readonly claimFor: { readonly leaseMs: number } | null;
};

export type RequestOutcome =
  | { readonly kind: 'accepted'; readonly action: ActionRecord; readonly claim: Claim | null }
  | { readonly kind: 'repeated'; readonly action: ActionRecord }
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'locked-down'; readonly reason: string }
  | { readonly kind: 'no-machine' }
  | { readonly kind: 'switched-off'; readonly group: string }
  /** `said`: "waits for approval". */
  | { readonly kind: 'not-enrolled'; readonly said: string }
  | { readonly kind: 'no-file'; readonly index: number; readonly name: string }
  | { readonly kind: 'busy'; readonly activeId: ActionId; readonly unfinished: number }
  | { readonly kind: 'sessions-full' };

/** What an envelope says, but for the counters, which the claim gives. */
export type EnvelopeTerms = Pick<EnvelopePayload, 'maxGetBytes' | 'maxOutputBytes' | 'stopOnNonzeroExit'>;

/** `files`: the library files that it names, as pinned. */
export type Claim = {
  readonly actionId: ActionId;
  readonly envelope: string;
  readonly files: readonly { readonly sha256: Sha256; readonly sizeBytes: number }[];
};

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** Nothing waits there that may run now. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'sessions-full' };

export type ClaimTerms = {
  readonly machineId: MachineId;
  readonly now: EpochMs;
  readonly leaseMs: number;
  readonly maxSessions: number;
};

/** A small result's bytes as they came with the report; they have the hash and the size that it says. */
export type ResultContent = { readonly stream: ResultStream; readonly bytes: Uint8Array };

/** `steps`: what took the device its time, where the action is traced. */
export type Reported = {
  readonly fact: Fact;
  readonly contents: readonly ResultContent[];
  readonly steps?: readonly DeviceStep[];
};

/** An action that has just come to its final state. */
export type EndedAction = { readonly status: FinalStatus; readonly createdAt: EpochMs };

export type RecordOutcome =
  /**
   * `changed`: the action's state did; `stop`: the device goes on with what is final here; `isAwaited`: something else waits
   * for the machine, which may be free now; `ended`: how the action ended by this very fact.
   */
  | {
      readonly kind: 'recorded';
      readonly changed: boolean;
      readonly stop: string | null;
      readonly isAwaited: boolean;
      readonly ended: EndedAction | null;
    }
  | { readonly kind: 'missing-uploads'; readonly streams: readonly ResultStream[] }
  /** No such action of this machine: nothing to record, nothing to keep. */
  | { readonly kind: 'unknown' };

export type CancelOutcome =
  | { readonly kind: 'cancelled' | 'already-final'; readonly action: ActionRecord }
  | { readonly kind: 'no-action' };

export type DecisionKind = 'approve' | 'deny';

export type DecisionOutcome =
  /** `isRepeated`: this person had said so before. */
  | { readonly kind: 'decided'; readonly isRepeated: boolean; readonly action: ActionRecord }
  /** By another person, or otherwise; or it has ended; or needs nobody. */
  | { readonly kind: 'too-late' | 'not-needed'; readonly action: ActionRecord }
  | { readonly kind: 'own-request' }
  | { readonly kind: 'no-action' };

/** What a device must hear of its actions when it connects (semantics 4). */
export type Reconciliation = {
  /** Still to be done: the device gets a fresh ticket. */
  readonly resume: readonly ActionId[];
  /** Final here, or not known here: the device stops it. */
  readonly stop: readonly { readonly actionId: ActionId; readonly reason: string }[];
  /** Whose state changed by this. */
  readonly changed: readonly ActionId[];
  /** The machine has actions that are not over: it may have something to do. */
  readonly isAwaited: boolean;
};

export type ActionStore = {
  /** Machine, files, busy, sessions: judged and written in one unit. */
  readonly request: (action: NewAction) => Promise<RequestOutcome>;
  /** Leases the machine's first waiting action if nothing else of it may run there, and a slot is free. */
  readonly claimNext: (terms: ClaimTerms) => Promise<ClaimOutcome>;
  /**
   * Applies a device's facts in their order, in one unit. Idempotent: a fact that is told again changes nothing. One
   * outcome for each, up to the first that lacks uploads: what follows it is not looked at.
   */
  readonly record: (reports: {
    readonly machineId: MachineId;
    readonly reports: readonly Reported[];
    readonly now: EpochMs;
  }) => Promise<readonly RecordOutcome[]>;
  readonly cancel: (cancel: {
    readonly reach: Reach;
    readonly actionId: ActionId;
    readonly requestor: string;
    readonly origin: Origin;
    readonly comment: string;
    readonly now: EpochMs;
  }) => Promise<CancelOutcome>;
  /** What a second person says of an action that waits for one. */
  readonly decide: (decision: {
    readonly reach: Reach;
    readonly actionId: ActionId;
    readonly decision: DecisionKind;
    readonly reason: string;
    readonly by: Principal;
    readonly origin: Origin;
    readonly now: EpochMs;
  }) => Promise<DecisionOutcome>;
  /** Settles what the device's journal and the rows disagree about. */
  readonly reconcile: (device: {
    readonly machineId: MachineId;
    readonly journaled: readonly ActionId[];
    readonly now: EpochMs;
  }) => Promise<Reconciliation>;
  /** Ends what is past its deadline, and frees slots that are held past theirs; at most `limit` at once. */
  readonly expireOverdue: (now: EpochMs, limit: number) => Promise<readonly ExpiredAction[]>;
  /** Connected machines with something to claim, those that wait longest first. */
  readonly machinesToServe: (now: EpochMs, limit: number) => Promise<readonly MachineId[]>;
  /** Cancels that a connected device has not confirmed. */
  readonly unconfirmedCancels: (limit: number) => Promise<readonly UnconfirmedCancel[]>;
  /** The store came from a backup: envelopes are signed under a higher epoch from now on (semantics 30). Gives it. */
  readonly declareRestored: (by: {
    readonly tenantId: TenantId;
    readonly actor: string;
    readonly now: EpochMs;
  }) => Promise<number>;
  readonly get: (reach: Reach, actionId: ActionId) => Promise<ActionRecord | null>;
  readonly list: (
    reach: Reach,
    query: CollectionQuery,
  ) => Promise<{ readonly actions: readonly ActionRecord[]; readonly count: number | null; readonly hasMore: boolean }>;
};

export type ExpiredAction = {
  readonly actionId: ActionId;
  readonly machineId: MachineId;
  readonly reason: string;
  readonly createdAt: EpochMs;
};

export type UnconfirmedCancel = {
  readonly actionId: ActionId;
  readonly machineId: MachineId;
  readonly reason: string;
};

/** One result stream of one command of one machine's action. */
export type UploadTarget = {
  readonly machineId: MachineId;
  readonly actionId: ActionId;
  readonly index: number;
  readonly stream: ResultStream;
};

export type UploadRecord = { readonly lengthBytes: number; readonly sha256: Sha256 | null };

export type ResultStore = {
  /**
   * The upload's row, made when there is none. Null when the command is not this machine's or has no such stream.
   * A length other than before starts it anew (`restarted`), unless it is complete.
   */
  readonly openUpload: (
    target: UploadTarget & { readonly lengthBytes: number; readonly now: EpochMs },
  ) => Promise<(UploadRecord & { readonly restarted: boolean }) | null>;
  readonly findUpload: (target: UploadTarget) => Promise<UploadRecord | null>;
  /** Whether the command is this machine's and has such a stream. */
  readonly hasStream: (target: UploadTarget) => Promise<boolean>;
  /** The bytes of an upload that has no row yet are durable: `openUpload` and `completeUpload` at once. Null as the former. */
  readonly keepWhole: (
    target: UploadTarget & { readonly sha256: Sha256; readonly sizeBytes: number; readonly now: EpochMs },
  ) => Promise<UploadRecord | null>;
  /** The bytes are durable: the row says so. */
  readonly completeUpload: (
    target: UploadTarget & { readonly sha256: Sha256; readonly sizeBytes: number },
  ) => Promise<void>;
  /** The command of this machine's action that pinned the library file: the one that runs, of several. Or null. */
  readonly pinnedBy: (machineId: MachineId, actionId: ActionId, sha256: Sha256) => Promise<number | null>;
  /** The bytes of a small result that came with its report, or null: the blobs have it, or nobody. */
  readonly smallBlob: (sha256: Sha256) => Promise<Uint8Array | null>;
  /** Deletes results older than the moment; the action and the audit stay. How many. */
  readonly retire: (before: EpochMs, limit: number) => Promise<number>;
  /** Those of the blobs that no row refers to. */
  readonly unreferenced: (blobs: readonly Sha256[]) => Promise<readonly Sha256[]>;
};

/** Where a result lies, for a link to it. */
export type ResultAddress = { readonly tenantId: TenantId; readonly actionId: ActionId; readonly index: number };

/** Hints, never truth: a lost one costs time, never an action. */
export type Hints = {
  /** A machine may have something to do. */
  readonly wake: (machineId: MachineId) => void;
  /** An action's row changed. */
  readonly actionChanged: (actionId: ActionId) => void;
  /** A session may have ended, somewhere: others may have waited for its slot. */
  readonly sessionEnded: () => void;
  /** Calls back on each change of the action; returns how to stop. */
  readonly onActionChanged: (actionId: ActionId, listener: () => void) => () => void;
};

export type Transferred = { readonly bytes: number; readonly totalBytes: number };

/** How far transfers are, while they run: live only, lost with the process, never in a row. */
export type TransferProgress = {
  readonly note: (place: { readonly actionId: ActionId; readonly index: number }, transferred: Transferred) => void;
  /** By command index. */
  readonly of: (actionId: ActionId) => ReadonlyMap<number, Transferred>;
  readonly forget: (actionId: ActionId) => void;
};

/** The dispatcher, as far as a request may be offered the moment that it is accepted. */
export type OfferAtOnce = {
  /** The terms of a claim within the request; null where the device is not here, or not free. */
  readonly claimFor: (machineId: MachineId) => { readonly leaseMs: number } | null;
  readonly offer: (machineId: MachineId, claim: Claim) => void;
};

/** The way to a connected device. Nothing here waits for an answer; false when this process does not hold it. */
export type AgentLink = {
  readonly offer: (machineId: MachineId, claim: Claim) => boolean;
  readonly cancel: (machineId: MachineId, cancel: { readonly actionId: ActionId; readonly reason: string }) => boolean;
  /** Connected here, and nothing that it has not ended runs there. */
  readonly isReady: (machineId: MachineId) => boolean;
};

export type Clock = { readonly now: () => EpochMs };
