/** The wiring of what the audit needs besides its entries: what is counted for it, and its checkpoints. */
import { join } from 'node:path';
import { keepCheckpoints } from '../audit/keep-checkpoints.ts';
import type { Chore } from '../dispatch/sweeper.ts';
import { CHECKPOINT_FILE_NAME, checkpointFile } from '../store/audit/checkpoint-file.ts';
import type { Engine, World } from './engine.ts';

/** How often is looked whether a checkpoint is due. */
const LOOK_MS = 10_000;

export const auditKeeping = ({ store, now, writeTallied }: Engine, { folder, log }: World) => {
  const checkpoints = keepCheckpoints({
    audit: store.audit,
    sign: folder.signCheckpoint,
    handOut: checkpointFile(join(folder.path, CHECKPOINT_FILE_NAME)),
    tenantId: folder.tenant,
    now,
  });
  const chore: Chore = { name: 'audit checkpoints', everyMs: LOOK_MS, run: checkpoints.whenDue };
  /** When nothing comes in any more: what was counted is written, and all of it is signed. */
  const finish = async (): Promise<void> => {
    try {
      await writeTallied();
      await checkpoints.atOnce();
    } catch (fault) {
      log.error({ err: fault }, 'the end of the audit is not signed; it will be after the next start');
    }
  };
  return { chore, finish };
};
