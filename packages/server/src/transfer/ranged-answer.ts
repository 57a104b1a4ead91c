/** Bytes, or the part of them that a Range header asks for (RFC 9110 14). */
import { bodyOfLength } from '../http/body-of-length.ts';
import type { ByteRange } from '../library/ports.ts';
import { answerRange } from './encode/byte-range.ts';

export type Content = {
  readonly totalBytes: number;
  readonly stream: (range?: ByteRange) => ReadableStream<Uint8Array>;
  /** Strong entity tag, with its quotes. */
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
};

export const rangedAnswer = async (request: Request, content: Content): Promise<Response> => {
  const asked = { range: request.headers.get('range'), ifRange: request.headers.get('if-range'), etag: content.etag };
  const answer = answerRange(asked, content.totalBytes);
  const headers = { ...content.headers, 'Accept-Ranges': 'bytes', ETag: content.etag };
  switch (answer.kind) {
    case 'whole':
      return new Response(await bodyOfLength(content.stream(), content.totalBytes), {
        headers: { ...headers, 'Content-Length': String(content.totalBytes) },
      });
    case 'part': {
      const length = answer.range.end - answer.range.start;
      const part = { ...headers, 'Content-Length': String(length), 'Content-Range': answer.contentRange };
      return new Response(await bodyOfLength(content.stream(answer.range), length), { status: 206, headers: part });
    }
    case 'unsatisfiable':
      return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': answer.contentRange } });
  }
};
