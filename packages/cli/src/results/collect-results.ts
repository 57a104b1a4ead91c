/** After an action has ended: everything that its commands left, saved and told. */
import { mkdir } from 'node:fs/promises';
import type { ActionEntity, CommandEntity } from '@longarm/contract/action';
import { printJson } from '../display/print.ts';
import { formatSize } from '../display/quantities.ts';
import { visible } from '../display/visible.ts';
import type { Io } from '../world/io.ts';
import { type SavedResult, type SaveIo, saveResults } from './save-result.ts';
import { showOutput } from './show-output.ts';

export type Collect = {
  readonly action: ActionEntity;
  readonly folder: string;
  readonly json: boolean;
  readonly raw: boolean;
  /** The output was shown while it came. */
  readonly isShown?: boolean;
};

const tell = async (io: Io, saved: SavedResult, collect: Collect): Promise<void> => {
  if (collect.json) {
    const { index, form, path, sizeBytes, sha256 } = saved;
    await printJson(io, { event: 'result', index, form, path, sizeBytes, sha256 });
    return;
  }
  await io.stdout.write(
    `saved ${visible(saved.path)}  ${formatSize(saved.sizeBytes)}${saved.form === 'whole' ? '' : `  sha256 ${saved.sha256}`}\n`,
  );
};

const collectOne = async (io: Io, save: SaveIo, task: Collect & { readonly command: CommandEntity }): Promise<void> => {
  const saved = await saveResults(save, { actionId: task.action.id, command: task.command, folder: task.folder });
  for (const one of saved) await tell(io, one, task);
  for (const one of task.json || task.isShown === true ? [] : saved) {
    if (one.form === 'stdout' || one.form === 'stderr') await showOutput(io, one, task.raw);
  }
};

/**
 * Saves the results of every command that has any; the folder is made only then. One that cannot be had does not
 * keep the others back: the first such failure is thrown at the end.
 */
export const collectResults = async (io: Io, save: SaveIo, collect: Collect): Promise<void> => {
  const withResults = collect.action.commands.filter((command) => command.results.length > 0);
  if (withResults.length === 0) return;
  await mkdir(collect.folder, { recursive: true, mode: 0o700 });
  const failures: unknown[] = [];
  for (const command of withResults) {
    await collectOne(io, save, { ...collect, command }).catch((failure: unknown) => failures.push(failure));
    if (save.signal.aborted) break;
  }
  if (failures.length > 0) throw failures[0];
};
