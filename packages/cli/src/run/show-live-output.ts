/** A script's output as it comes: its stdout on standard output, its stderr on standard error. */
import type { Client } from '@longarm/client/create-client';
import { printJson } from '../display/print.ts';
import { visiblePieces } from '../display/visible.ts';
import type { Io } from '../world/io.ts';

export type LiveOutput = {
  readonly actionId: string;
  readonly index: number;
  /** As JSON lines. */
  readonly json: boolean;
  /** Control characters are not made visible. */
  readonly raw: boolean;
  readonly signal: AbortSignal;
};

const terminalOf = (sink: Io['stdout'], raw: boolean) => {
  const pieces = visiblePieces();
  return {
    write: async (text: string, missedBytes: number): Promise<void> => {
      if (missedBytes > 0) await sink.write(`${raw ? '' : pieces.end()}\n[${missedBytes} bytes are not kept]\n`);
      await sink.write(raw ? text : pieces.take(text));
    },
    end: () => sink.write(raw ? '' : pieces.end()),
  };
};

/** Resolves when the command has ended and all that is kept was shown. Throws what the client throws. */
export const showLiveOutput = async (io: Io, client: Client, live: LiveOutput): Promise<void> => {
  const { actionId, index, json, raw, signal } = live;
  const terminals = { stdout: terminalOf(io.stdout, raw), stderr: terminalOf(io.stderr, raw) };
  // a command may wait for days for its device, and no event come meanwhile
  const options = { signal, patienceSeconds: Number.POSITIVE_INFINITY };
  for await (const { missedBytes, ...piece } of client.watchOutput({ actionId, index }, options)) {
    if (json) await printJson(io, { event: 'output', index, ...piece });
    else await terminals[piece.stream].write(piece.text, missedBytes);
  }
  await terminals.stdout.end();
  await terminals.stderr.end();
};
