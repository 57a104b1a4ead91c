/** Results that go straight to a stream of this process, in pieces. */
import { visiblePieces } from '../display/visible.ts';
import type { Sink } from '../world/io.ts';

export const streamBytes = async (sink: Sink, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
  for await (const chunk of bytes) await sink.write(chunk);
};

/** As text, what a terminal would obey made visible; invalid UTF-8 becomes U+FFFD. */
export const streamVisible = async (sink: Sink, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
  const decoder = new TextDecoder();
  const pieces = visiblePieces();
  for await (const chunk of bytes) await sink.write(pieces.take(decoder.decode(chunk, { stream: true })));
  await sink.write(pieces.take(decoder.decode()) + pieces.end());
};
