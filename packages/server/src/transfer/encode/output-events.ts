/** Pieces of a script's output as server-sent events (WHATWG HTML 9.2), whose ids say how far both streams are. */
import { Refusal } from '@longarm/contract/errors';
import type { OutputEvent } from '@longarm/contract/rest/watch-command-output';
import { SCRIPT_STREAMS, type ScriptStream } from '@longarm/contract/result';
import type { OutputOffsets, OutputPiece } from '../../actions/output-ports.ts';
import { type TextPiece, utf8Pieces } from './utf8-pieces.ts';

const encoder = new TextEncoder();

/** `<stdout>-<stderr>`, as in the ids of events; null is the start. Throws InvalidInput for another text. */
export const parseEventId = (text: string | null): OutputOffsets => {
  if (text === null) return { stdout: 0, stderr: 0 };
  const [, stdout, stderr] = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(text) ?? [];
  if (stdout === undefined || stderr === undefined) {
    throw new Refusal('InvalidInput', `Expected Last-Event-ID as <stdout>-<stderr>, got ${JSON.stringify(text)}.`);
  }
  return { stdout: Number(stdout), stderr: Number(stderr) };
};

export type OutputEvents = {
  readonly piece: (piece: OutputPiece) => Uint8Array;
  /** What was cut within a character, and the last event of all. */
  readonly end: () => Uint8Array;
  /** Where the next piece of the stream is expected. */
  readonly next: (stream: ScriptStream) => number;
};

export const outputEvents = (from: OutputOffsets): OutputEvents => {
  const texts = { stdout: utf8Pieces(from.stdout), stderr: utf8Pieces(from.stderr) };
  const id = () => `${texts.stdout.position()}-${texts.stderr.position()}`;
  const eventsOf = (stream: ScriptStream, pieces: readonly TextPiece[]): string =>
    pieces
      .map(({ offset, text }, place) => {
        const event: OutputEvent = { stream, offset, text };
        // only behind the last is the position that of the id
        const idLine = place === pieces.length - 1 ? `id: ${id()}\n` : '';
        return `event: output\n${idLine}data: ${JSON.stringify(event)}\n\n`;
      })
      .join('');
  return {
    piece: ({ stream, offset, bytes }) => encoder.encode(eventsOf(stream, texts[stream].take(offset, bytes))),
    end: () => {
      const last = SCRIPT_STREAMS.map((stream) => eventsOf(stream, texts[stream].end())).join('');
      return encoder.encode(`${last}event: end\nid: ${id()}\ndata: {}\n\n`);
    },
    next: (stream) => texts[stream].next(),
  };
};
