/** One command's results become files: a script's JSON and its two outputs, or a collected file. */
import { join } from 'node:path';
import type { Client } from '@longarm/client/create-client';
import type { ResultForm } from '@longarm/client/open-result';
import { type SavedFile, saveBytes } from '@longarm/client/save-bytes';
import type { ClientWorld } from '@longarm/client/world';
import type { CommandEntity } from '@longarm/contract/action';
import { commandSubject } from './command-parameter.ts';
import { freePath } from './free-path.ts';
import { safeFileName } from './safe-file-name.ts';

export type SaveIo = { readonly client: Client; readonly world: ClientWorld; readonly signal: AbortSignal };

export type SavedResult = SavedFile & { readonly index: number; readonly form: ResultForm };

type Wanted = {
  readonly actionId: string;
  readonly command: CommandEntity;
  readonly form: ResultForm;
  readonly path: string;
};

/** Saves one form of one result at `path`; raw streams are held against the SHA-256 that the action tells. */
export const saveForm = async (io: SaveIo, wanted: Wanted): Promise<SavedResult> => {
  const { command, form, path } = wanted;
  const expected = command.results.find((result) => result.stream === form)?.sha256 ?? null;
  const address = { actionId: wanted.actionId, index: command.index };
  const bytes = await io.client.openResult(address, { form, signal: io.signal });
  const temporaryPath = `${path}.${io.world.randomId()}.part`;
  const saved = await saveBytes({ bytes, path, temporaryPath, expectedSha256: expected });
  return { ...saved, index: command.index, form };
};

/** `form` and file name of everything that a command left. */
const wantedNames = (command: CommandEntity): readonly (readonly [ResultForm, string])[] => {
  const streams = new Set(command.results.map((result) => result.stream));
  if (streams.has('file')) return [['file', safeFileName(commandSubject(command), `${command.index}-file`)]];
  if (streams.size === 0) return [];
  const stem = `${command.index}-${safeFileName(commandSubject(command), 'script')}`;
  const names: (readonly [ResultForm, string])[] = [['whole', `${stem}.json`]];
  if (streams.has('stdout')) names.push(['stdout', `${stem}.stdout.txt`]);
  if (streams.has('stderr')) names.push(['stderr', `${stem}.stderr.txt`]);
  return names;
};

/** Saves all that one command left into `folder`, under names that are free there. */
export const saveResults = async (
  io: SaveIo,
  target: { readonly actionId: string; readonly command: CommandEntity; readonly folder: string },
): Promise<readonly SavedResult[]> => {
  const saved: SavedResult[] = [];
  for (const [form, name] of wantedNames(target.command)) {
    const path = await freePath(target.folder, name);
    saved.push(await saveForm(io, { actionId: target.actionId, command: target.command, form, path }));
  }
  return saved;
};

/** The id is what the server says it is: it names, and leads nowhere. */
export const resultFolder = (actionId: string): string => join('.', `longarm-${safeFileName(actionId, 'results')}`);
