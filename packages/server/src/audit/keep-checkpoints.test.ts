import { expect, test } from 'bun:test';
import type { AuditCheckpoint } from '@longarm/contract/audit/checkpoint';
import { TenantId } from '@longarm/contract/ids';
import { CHECKPOINT_MS, ENTRIES_PER_CHECKPOINT, keepCheckpoints } from './keep-checkpoints.ts';

const TENANT = TenantId.parse('00000000-0000-4000-8000-000000000001');

/** An audit that has only a length, and a hand that can be full. */
const newWorld = (entries: number) => {
  const world = { entries, signed: 0, now: 0, isFull: false, out: [] as number[] };
  const checkpoints = keepCheckpoints({
    audit: {
      page: async () => ({ entries: [], head: { sequence: world.entries, hash: '' }, isLast: true }),
      checkpoint: async ({ at, sign }) => {
        if (world.signed === world.entries) return null;
        const checkpoint = sign({ sequence: world.entries, hash: '', at });
        world.entries++;
        world.signed = world.entries;
        return checkpoint;
      },
    },
    sign: (head): AuditCheckpoint => ({ ...head, publicKey: '', signature: '' }),
    handOut: async ({ sequence }) => {
      if (world.isFull) throw new Error('the disk is full');
      world.out.push(sequence);
    },
    tenantId: TENANT,
    now: () => world.now,
  });
  return { world, checkpoints };
};

test('a checkpoint is due after as many entries as said, and not one before', async () => {
  const { world, checkpoints } = newWorld(ENTRIES_PER_CHECKPOINT - 1);
  await checkpoints.whenDue();
  expect(world.out).toEqual([]);
  world.entries++;
  await checkpoints.whenDue();
  await checkpoints.whenDue();
  expect(world.out).toEqual([ENTRIES_PER_CHECKPOINT]);
  // a checkpoint's own entry is none of those that the next one is for
  world.entries += ENTRIES_PER_CHECKPOINT - 1;
  await checkpoints.whenDue();
  expect(world.out.length).toBe(1);
  world.entries++;
  await checkpoints.whenDue();
  expect(world.out.at(-1)).toBe(2 * ENTRIES_PER_CHECKPOINT + 1);
});

test('or after as long as said, if there is anything new', async () => {
  const { world, checkpoints } = newWorld(1);
  world.now = CHECKPOINT_MS - 1;
  await checkpoints.whenDue();
  expect(world.out).toEqual([]);
  world.now++;
  await checkpoints.whenDue();
  world.now += CHECKPOINT_MS;
  await checkpoints.whenDue();
  expect(world.out).toEqual([1]);
  world.entries++;
  await checkpoints.whenDue();
  expect(world.out).toEqual([1, 3]);
});

test('what could not be handed out is handed out the next time, in order', async () => {
  const { world, checkpoints } = newWorld(1);
  world.isFull = true;
  await expect(checkpoints.atOnce()).rejects.toThrow('the disk is full');
  world.isFull = false;
  await checkpoints.whenDue();
  world.entries++;
  await checkpoints.atOnce();
  await checkpoints.atOnce();
  expect(world.out).toEqual([1, 3]);
});
