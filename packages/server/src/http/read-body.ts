/** Reads a whole small body, never more than a limit. */
import { Refusal } from '@longarm/contract/errors';

const tooLong = (maxBytes: number): Refusal =>
  new Refusal('InvalidRequestBody', `Expected a body of at most ${maxBytes} bytes, got more.`);

export const readBody = async (request: Request, maxBytes: number): Promise<string> => {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLong(maxBytes);
  if (request.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong(maxBytes);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
};
