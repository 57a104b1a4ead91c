/** What a script says, while it says it or afterwards. */
import { ENDPOINTS } from '@longarm/contract/rest/index';
import { OutputEvent } from '@longarm/contract/rest/watch-command-output';
import type { ResultAddress } from './open-result.ts';
import { parseAnswer } from './unexpected-answer.ts';
import { type WatchIo, type WatchOptions, watchEvents } from './watch-events.ts';

/** `missedBytes` of the stream lay between the piece before and this one, and are not kept. */
export type WatchedOutput = OutputEvent & { readonly missedBytes: number };

const positionsIn = (id: string): { readonly stdout: number; readonly stderr: number } | null => {
  const [, stdout, stderr] = /^(\d+)-(\d+)$/.exec(id) ?? [];
  return stdout === undefined || stderr === undefined ? null : { stdout: Number(stdout), stderr: Number(stderr) };
};

/** Yields the pieces from the start on, and ends when the command has ended and all of them were given. */
export async function* watchOutput(
  io: WatchIo,
  { actionId, index }: ResultAddress,
  options: WatchOptions = {},
): AsyncGenerator<WatchedOutput, void> {
  const watched = { endpoint: ENDPOINTS.watchCommandOutput, path: { id: actionId, index: String(index) } };
  let next = { stdout: 0, stderr: 0 };
  for await (const { event, data, id } of watchEvents(io, watched, options)) {
    if (event !== 'output') continue;
    const piece = parseAnswer(OutputEvent, JSON.parse(data), 'the event stream');
    yield { ...piece, missedBytes: Math.max(0, piece.offset - next[piece.stream]) };
    next = positionsIn(id) ?? next;
  }
}
