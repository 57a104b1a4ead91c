/** The wiring of what the audit needs besides its entries: what is counted for it, and its checkpoints. */
import { join } from 'node:path';
import { keepCheckpoints } from '../audit/keep-checkpoints.ts';
import type { Chore } from '../dispatch/sweeper.ts';
import { CHECKPOINT_FILE_NAME, checkpointFile, lastCheckpoint } from '../store/audit/checkpoint-file.ts';
import type { Engine, World } from './engine.ts';

/** How often is looked whether a checkpoint is due. */
const LOOK_MS = 10_000;

/** A store that does not hold what it signed last was cut, replaced or restored alone: said at each start, in the log. */
const warnOfLostEntries = async ({ store }: Engine, { folder, log }: World): Promise<void> => {
  const checkpoint = await lastCheckpoint(join(folder.path, CHECKPOINT_FILE_NAME));
  if (checkpoint === null) return;
  const { sequence, hash } = checkpoint;
  const { entries } = await store.audit.page(sequence - 1);
  if (entries[0]?.hash === hash) return;
  const signedAt = new Date(checkpoint.at).toISOString();
  log.error(
    { sequence, signedAt },
    'THE AUDIT does not hold an entry that it signed: see `longarm audit verify --checkpoint`',
  );
};

export const auditKeeping = async (engine: Engine, world: World) => {
  const { store, now, writeTallied } = engine;
  const { folder, log } = world;
  await warnOfLostEntries(engine, world);
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
