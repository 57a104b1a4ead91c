/**
 * Watching without polling (semantics 27): server-sent events (WHATWG HTML 9.2) with the whole entity at once and
 * after each change. Signals are hints, so the row is also looked at now and then.
 */
import type { ActionRecord } from '../../actions/action-record.ts';
import { isOverInEffect } from '../../actions/lifecycle.ts';
import type { ActionStore, Hints, TransferProgress } from '../../actions/ports.ts';
import type { Caller } from '../../audit/ports.ts';
import type { Reach } from '../../audit/reach.ts';
import { presentAction } from '../present/present-action.ts';
import type { Route } from '../route.ts';

/** How often the row is looked at without a hint; also keeps the connection from looking dead. */
const LOOK_MS = 5_000;

type WatchIo = {
  readonly findAction: (caller: Caller, id: string) => Promise<ActionRecord>;
  readonly actions: Pick<ActionStore, 'get'>;
  readonly hints: Pick<Hints, 'onActionChanged'>;
  readonly transfers: Pick<TransferProgress, 'of'>;
  readonly every: (milliseconds: number, call: () => void) => () => void;
};

const encoder = new TextEncoder();
/** `data` is JSON. */
const eventText = (event: string, data: string): Uint8Array => encoder.encode(`event: ${event}\ndata: ${data}\n\n`);

type Teller = { readonly tell: (chunk: Uint8Array) => void; readonly finish: () => void };

type Watched = { readonly reach: Reach; readonly first: ActionRecord };

/** Looks at the row again whenever told, one look at a time, and tells what is new. */
const watcher = (io: WatchIo, { reach, first }: Watched, { tell, finish }: Teller) => {
  let told = '';
  let looking = false;
  let again = false;
  const show = (action: ActionRecord) => {
    const text = JSON.stringify(presentAction(action, io.transfers.of(action.id)));
    if (text !== told) tell(eventText('action', text));
    told = text;
    if (isOverInEffect(action)) finish();
  };
  const look = async (): Promise<void> => {
    again = looking;
    if (looking) return;
    looking = true;
    try {
      const action = await io.actions.get(reach, first.id);
      if (action === null) throw new Error('the action is out of the reach of whoever watches it');
      show(action);
    } finally {
      looking = false;
    }
    if (again) await look();
  };
  return { show, look };
};

export const watchMachineActionRoute =
  (io: WatchIo): Route =>
  async ({ caller, params, keepOpen }) => {
    const first = await io.findAction(caller, params.id ?? '');
    keepOpen();
    let stop: () => void = () => undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        let open = true;
        const finish = () => {
          if (!open) return;
          controller.enqueue(eventText('end', '{}'));
          open = false;
          stop();
          controller.close();
        };
        const { show, look } = watcher(
          io,
          { reach: caller, first },
          { tell: (chunk) => open && controller.enqueue(chunk), finish },
        );
        // whoever watches connects anew, and meets the fault in an answer
        const fail = (fault: unknown) => {
          if (!open) return;
          stop();
          controller.error(fault);
        };
        const lookNow = () => void look().catch(fail);
        const stopHints = io.hints.onActionChanged(first.id, lookNow);
        const stopTimer = io.every(LOOK_MS, () => {
          if (open) controller.enqueue(encoder.encode(': still here\n\n'));
          lookNow();
        });
        stop = () => {
          open = false;
          stopHints();
          stopTimer();
        };
        show(first);
        if (open) lookNow();
      },
      cancel: () => stop(),
    });
    return new Response(stream, {
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' },
    });
  };
