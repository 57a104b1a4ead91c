/** What the last run of the agent left of an action that had begun: its processes, and what it had said so far. */
import { existsSync } from 'node:fs';
import type { CommandIo, CommandResult } from '../commands/command-run.ts';
import { cutSentences } from '../commands/cut-sentences.ts';
import { hashFile } from '../commands/hash-file.ts';
import type { ActionRecord } from '../journal/entries.ts';
import type { Log } from '../platform/log.ts';
import { killTree } from '../process/kill-tree.ts';
import { actionMark } from '../process/script-environment.ts';
import { sealLeftOver } from '../process/seal-output.ts';

/** Nobody reads any more what survivors have to say: they get less time to say it. */
const SURVIVOR_GRACE_MS = 1_000;

export type PartialOutput = { readonly results: readonly CommandResult[]; readonly errors: readonly string[] };

export type LeftOver = {
  /** Ends what survived of it (semantics 8); resolves when nothing of it runs any more, or refuses to go. */
  readonly endSurvivors: (action: ActionRecord) => Promise<void>;
  /** What its interrupted command had said so far, and what of that is not kept. */
  readonly partialOutput: (action: ActionRecord) => Promise<PartialOutput>;
};

type LeftOverIo = { readonly commands: CommandIo; readonly log: Log };

const endSurvivors = async (io: LeftOverIo, { actionId, process }: ActionRecord): Promise<void> => {
  const { platform } = io.commands;
  // another start of the device: nothing of it can be there, and its numbers are somebody else's
  if (process !== null && process.bootId !== platform.bootId()) return;
  const startTime = process === null ? null : platform.startTimeOf(process.pid);
  // a first process that has gone may have left others in its group; one that is another took over the number
  const group = process !== null && (startTime === null || startTime === process.startTime) ? process.pid : null;
  const kill = { ...io.commands.process, graceMs: Math.min(io.commands.process.graceMs, SURVIVOR_GRACE_MS) };
  const { left } = await killTree(kill, { group, mark: actionMark(actionId) });
  platform.release(actionMark(actionId));
  if (left.length > 0) io.log('warn', 'these processes could not be ended', { actionId, pids: left.join(' ') });
};

const partialOutput = async (
  { commands }: LeftOverIo,
  { actionId, next: index, payload }: ActionRecord,
): Promise<PartialOutput> => {
  const results: CommandResult[] = [];
  const errors: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const path = commands.folders.spoolFile(actionId, index, stream);
    if (payload === null || !existsSync(path)) continue;
    const sealed = await sealLeftOver({ path, maxBytes: payload.maxOutputBytes });
    const hashed = await hashFile(path);
    if (hashed === null) continue;
    const { cutBytes } = sealed;
    results.push({ stream, path, isSpool: true, isUploaded: false, ...hashed, name: stream, cutBytes });
    errors.push(...cutSentences({ [stream]: sealed }));
  }
  return { results, errors };
};

export const leftOver = (io: LeftOverIo): LeftOver => ({
  endSurvivors: (action) => endSurvivors(io, action),
  partialOutput: (action) => partialOutput(io, action),
});
