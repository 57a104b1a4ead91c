/** How the end of a command becomes the fact that the server is told. */
import type { ActionId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { boundErrors, type CommandEnd } from '../commands/command-run.ts';
import type { NewFact } from '../journal/journal.ts';

export const finishedFact = (
  place: { readonly actionId: ActionId; readonly index: number },
  end: CommandEnd,
  at: EpochMs,
): NewFact => ({
  fact: {
    kind: 'command-finished',
    ...place,
    at,
    outcome: end.outcome,
    errors: boundErrors(end.errors),
    exitCode: end.exitCode,
    results: end.results.map(({ stream, sha256, sizeBytes, name, cutBytes }) => ({
      stream,
      sha256,
      sizeBytes,
      name,
      cutBytes,
    })),
  },
  sources: end.results.map(({ stream, path, isSpool, content }) => ({
    stream,
    path,
    isSpool,
    ...(content === undefined ? {} : { content: Buffer.from(content).toString('base64') }),
  })),
  uploaded: end.results.filter(({ isUploaded }) => isUploaded).map(({ stream }) => stream),
});
