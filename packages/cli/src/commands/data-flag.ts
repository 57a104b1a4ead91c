/** The administration of a data folder: on the server's own machine, by whoever may read the folder. */
import type { AdminDoor } from '@longarm/contract/admin/operations';
import type { Command } from 'commander';
import { addExamples, addJsonFlag, type JsonFlag } from '../arguments/remote-command.ts';
import { usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';

export type AdminFlags = JsonFlag & { readonly data?: string };

export const adminCommand = (command: Command, examples: readonly string[]): Command => {
  addJsonFlag(command).option('--data <dir>', 'data folder of the server (default: LONGARM_DATA)');
  return addExamples(command, examples);
};

/** Opens the door of the data folder, and closes it whatever happens. */
export const throughAdmin = async <Answer>(
  parts: LongarmParts,
  flags: AdminFlags,
  use: (door: AdminDoor) => Promise<Answer>,
): Promise<Answer> => {
  const folder = flags.data ?? parts.io.env.LONGARM_DATA ?? '';
  if (folder === '') throw usageFault('Expected --data DIR or LONGARM_DATA, got neither.');
  const door = await parts.openAdmin(folder);
  try {
    return await use(door);
  } finally {
    await door.close();
  }
};
