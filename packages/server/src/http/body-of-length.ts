/**
 * A body whose Content-Length arrives. The runtime strips that header from streams it did not make itself and sends
 * them chunked (oven-sh/bun#10507), so what is small is read first, and what is large goes without: see ADR 0005.
 */

/** Bytes that one answer may hold in memory. */
const HELD_BYTES = 4_194_304;

export const bodyOfLength = async (
  stream: ReadableStream<Uint8Array>,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> =>
  bytes <= HELD_BYTES ? new Uint8Array(await new Response(stream).arrayBuffer()) : stream;
