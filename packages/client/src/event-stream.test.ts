import { expect, test } from 'bun:test';
import { readEvents, type ServerEvent } from './event-stream.ts';

const streamOf = (chunks: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });

const eventsOf = async (chunks: readonly string[]): Promise<ServerEvent[]> => {
  const events: ServerEvent[] = [];
  for await (const event of readEvents(streamOf(chunks))) if (event !== null) events.push(event);
  return events;
};

test('events are read whatever their line endings and wherever the pieces are cut', async () => {
  const text =
    ': hello\r\nevent: action\r\ndata: {"a":1,\r\ndata: "b":2}\r\n\r\nevent:end\nid: 7\ndata:\n\ndata: x\r\r';
  const expected = [
    { event: 'action', data: '{"a":1,\n"b":2}', id: '' },
    { event: 'end', data: '', id: '7' },
    { event: 'message', data: 'x', id: '7' },
  ];
  // The last carriage return may be half a line ending until the stream goes on.
  expect(await eventsOf([`${text}\n`])).toEqual(expected);
  expect(await eventsOf([...`${text}\n`])).toEqual(expected);
});

test('an event that is not complete is no event, and comments are none', async () => {
  expect(await eventsOf([': keep-alive\n\n', 'event: action\ndata: {'])).toEqual([]);
});

test('characters of several bytes survive being cut', async () => {
  const bytes = new TextEncoder().encode('data: é€\n\n');
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of readEvents(body)) if (event !== null) events.push(event);
  expect(events).toEqual([{ event: 'message', data: 'é€', id: '' }]);
});
