/**
 * Signs the head of the audit into the audit now and then, and hands each checkpoint out to be kept elsewhere: what
 * came before a checkpoint that somebody has cannot be changed or cut off any more without being found.
 */
import type { AuditCheckpoint } from '@longarm/contract/audit/checkpoint';
import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { AuditStore, SignHead } from './ports.ts';

/** A checkpoint is due after so many entries, or after so long when there is any. */
export const ENTRIES_PER_CHECKPOINT = 1_000;
export const CHECKPOINT_MS = 600_000;

type CheckpointsIo = {
  readonly audit: Pick<AuditStore, 'page' | 'checkpoint'>;
  readonly sign: SignHead;
  /** Adds it, durably, to those that were handed out before. */
  readonly handOut: (checkpoint: AuditCheckpoint) => Promise<void>;
  readonly tenantId: TenantId;
  readonly now: () => EpochMs;
};

export type Checkpoints = {
  readonly whenDue: () => Promise<void>;
  /** Whatever is new: when the server stops. */
  readonly atOnce: () => Promise<void>;
};

export const keepCheckpoints = (io: CheckpointsIo): Checkpoints => {
  let last = { sequence: 0, at: io.now() };
  const toHandOut: AuditCheckpoint[] = [];
  const atOnce = async () => {
    const checkpoint = await io.audit.checkpoint({ tenantId: io.tenantId, at: io.now(), sign: io.sign });
    if (checkpoint !== null) {
      toHandOut.push(checkpoint);
      // its own entry comes after what it signs
      last = { sequence: checkpoint.sequence + 1, at: checkpoint.at };
    }
    for (let [next] = toHandOut; next !== undefined; [next] = toHandOut) {
      await io.handOut(next);
      toHandOut.shift();
    }
  };
  const isDue = async (): Promise<boolean> => {
    const { head } = await io.audit.page(Number.MAX_SAFE_INTEGER);
    const entries = head.sequence - last.sequence;
    return entries >= ENTRIES_PER_CHECKPOINT || (entries > 0 && io.now() - last.at >= CHECKPOINT_MS);
  };
  return {
    atOnce,
    whenDue: async () => {
      if (toHandOut.length > 0 || (await isDue())) await atOnce();
    },
  };
};
