/** Reads server-sent events (WHATWG HTML, 9.2.6) from the body of an answer. */

export type ServerEvent = {
  readonly event: string;
  readonly data: string;
  /** The last id that was given, as a reconnection tells it; empty when there was none. */
  readonly id: string;
};

/** One event may hold this many characters; a longer one is no event of the contract. */
const EVENT_CHARACTERS = 32 * 1024 * 1024;

/** Splits off complete lines; a carriage return at the very end may be half a line ending and waits. */
const takeLines = (text: string): { readonly lines: readonly string[]; readonly rest: string } => {
  const held = text.endsWith('\r') ? text.slice(0, -1) : text;
  const lines = held.split(/\r\n|\n|\r/);
  const rest = (lines.pop() ?? '') + text.slice(held.length);
  return { lines, rest };
};

type Draft = { event: string; data: string[]; id: string };

/** Takes one line into the draft; returns the event that an empty line completes. */
const takeLine = (draft: Draft, line: string): ServerEvent | null => {
  if (line === '') {
    const { event, data, id } = draft;
    const complete = data.length === 0 ? null : { event: event || 'message', data: data.join('\n'), id };
    draft.event = '';
    draft.data = [];
    return complete;
  }
  const colon = line.indexOf(':');
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (field === 'event') draft.event = value;
  if (field === 'data') draft.data.push(value);
  if (field === 'id' && !value.includes('\0')) draft.id = value;
  return null;
};

/** Yields events as they come, and null for every piece of the stream, so that a caller sees that it lives. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent | null> {
  const decoder = new TextDecoder();
  const draft: Draft = { event: '', data: [], id: '' };
  let text = '';
  for await (const chunk of body) {
    const { lines, rest } = takeLines(text + decoder.decode(chunk, { stream: true }));
    if (rest.length > EVENT_CHARACTERS) throw new Error('An event of the server is longer than any can be.');
    text = rest;
    yield null;
    for (const line of lines) {
      const event = takeLine(draft, line);
      if (event !== null) yield event;
    }
  }
}
