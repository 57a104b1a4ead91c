/** Results that go straight to a stream of this process, in pieces. */
import { visibleJson, visiblePieces } from '../display/visible.ts';
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

/** A JSON document on its way: the same document, in which a terminal finds nothing to obey. */
export const streamJson = async (sink: Sink, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
  const decoder = new TextDecoder();
  const take = (text: string) => sink.write(text.replace(/[^\t\r\n]+/g, visibleJson));
  for await (const chunk of bytes) await take(decoder.decode(chunk, { stream: true }));
  await take(decoder.decode());
};
