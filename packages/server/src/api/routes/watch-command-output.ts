/** Output of a script as server-sent events; what they are made of is the data plane's affair. */
import { Refusal } from '@longarm/contract/errors';
import type { Caller } from '../../audit/ports.ts';
import type { Route } from '../route.ts';

type WatchIo = {
  readonly watchOutput: (
    caller: Caller,
    asked: { readonly actionId: string; readonly index: number; readonly lastEventId: string | null },
  ) => Promise<ReadableStream<Uint8Array>>;
};

const readIndex = (text: string): number => {
  if (/^[0-9]{1,5}$/.test(text)) return Number(text);
  throw new Refusal('ResourceNotFound', `Expected the index of a command, got ${JSON.stringify(text)}.`);
};

export const watchCommandOutputRoute =
  (io: WatchIo): Route =>
  async ({ caller, params, request, keepOpen }) => {
    const lastEventId = request.headers.get('last-event-id');
    const asked = { actionId: params.id ?? '', index: readIndex(params.index ?? ''), lastEventId };
    const stream = await io.watchOutput(caller, asked);
    keepOpen();
    return new Response(stream, {
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' },
    });
  };
