/**
 * A script's output for those who look on: live while the command runs, from what is stored once it has ended, and
 * from one to the other without a gap. Rows are the truth: a hint that is lost costs a look.
 */
import { Refusal } from '@longarm/contract/errors';
import { SCRIPT_STREAMS } from '@longarm/contract/result';
import type { ActionRecord, CommandRecord } from '../actions/action-record.ts';
import { requireCommand } from '../actions/issue-result-link.ts';
import { isOverInEffect } from '../actions/lifecycle.ts';
import type { LiveOutput, OutputWatch } from '../actions/output-ports.ts';
import type { ActionStore, Hints } from '../actions/ports.ts';
import type { Caller } from '../audit/ports.ts';
import type { Reach } from '../audit/reach.ts';
import type { BlobStore } from '../library/ports.ts';
import { type OutputEvents, outputEvents, parseEventId } from './encode/output-events.ts';
import { type Happenings, happenings } from './happenings.ts';
import { storedOutput } from './stored-output.ts';

/** How often the row is looked at without a hint; also keeps the connection from looking dead. */
const LOOK_MS = 5_000;

type WatchOutputIo = {
  readonly findAction: (caller: Caller, id: string) => Promise<ActionRecord>;
  readonly actions: Pick<ActionStore, 'get'>;
  readonly blobs: Pick<BlobStore, 'read'>;
  readonly hints: Pick<Hints, 'onActionChanged'>;
  readonly live: LiveOutput;
  readonly every: (milliseconds: number, call: () => void) => () => void;
};

const requireScript = (action: ActionRecord, index: number): void => {
  const { type } = requireCommand(action, index).command;
  if (type !== 'RunScript')
    throw new Refusal('ResourceNotFound', `Command ${index} is a ${type}: only a RunScript has output.`);
};

/** Nothing more will come: the result is there, or the action has ended in effect and left none. */
const isOver = (action: ActionRecord, command: CommandRecord): boolean => {
  if (command.status === 'Completed' || (command.status === 'Failed' && command.results.length > 0)) return true;
  return isOverInEffect(action);
};

const comment = (text: string): Uint8Array => new TextEncoder().encode(`: ${text}\n\n`);

type Watched = {
  readonly reach: Reach;
  readonly action: ActionRecord;
  readonly index: number;
  readonly events: OutputEvents;
  readonly happened: Happenings;
};

const watchLive = (io: WatchOutputIo, { action, index, events, happened }: Watched): OutputWatch => {
  const command = { machineId: action.machineId, actionId: action.id, index };
  const from = { stdout: events.next('stdout'), stderr: events.next('stderr') };
  return io.live.watch(command, from, (piece) => {
    happened.seen.pieces.push(piece);
    happened.ring({});
  });
};

/** Live pieces until the command is over; then what the row says of it, or null when nobody reads or it is gone. */
async function* liveEvents(io: WatchOutputIo, watched: Watched): AsyncGenerator<Uint8Array, CommandRecord | null> {
  const { reach, action, index, events, happened } = watched;
  const { seen } = happened;
  let watch: OutputWatch | null = null;
  try {
    while (!seen.isClosed) {
      const piece = seen.pieces.shift();
      if (piece !== undefined) {
        yield events.piece(piece);
        watch?.taken();
      } else if (seen.isChanged) {
        seen.isChanged = false;
        const row = await io.actions.get(reach, action.id);
        const command = row?.commands[index];
        if (row === null || command === undefined || isOver(row, command)) return command ?? null;
        if (command.status !== 'Created') watch ??= watchLive(io, watched);
      } else if (seen.isQuiet) {
        seen.isQuiet = false;
        yield comment('still here');
      } else await happened.wait();
    }
    return null;
  } finally {
    watch?.stop();
  }
}

async function* storedEvents(io: WatchOutputIo, { events }: Watched, command: CommandRecord | null) {
  for (const stream of SCRIPT_STREAMS) {
    const result = command?.results.find((candidate) => candidate.stream === stream);
    if (result === undefined) continue;
    for await (const piece of storedOutput(io.blobs, { ...result, stream }, events.next(stream)))
      yield events.piece(piece);
  }
}

async function* allEvents(io: WatchOutputIo, watched: Watched): AsyncGenerator<Uint8Array, void> {
  const { action, events, happened } = watched;
  const stopHints = io.hints.onActionChanged(action.id, () => happened.ring({ isChanged: true }));
  const stopTimer = io.every(LOOK_MS, () => happened.ring({ isChanged: true, isQuiet: true }));
  try {
    // the answer's head goes out with its first bytes
    yield comment('watching');
    const command = yield* liveEvents(io, watched);
    if (happened.seen.isClosed) return;
    yield* storedEvents(io, watched, command);
    yield events.end();
  } finally {
    stopHints();
    stopTimer();
  }
}

/** The events as a stream that makes one when it is asked for one; a cancel ends them also while they wait. */
const streamOfEvents = (chunks: AsyncGenerator<Uint8Array, void>, happened: Happenings): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        for (;;) {
          const next = await chunks.next();
          if (happened.seen.isClosed) return;
          if (next.done === true) return controller.close();
          // a piece that ends within its first character says nothing yet
          if (next.value.length > 0) return controller.enqueue(next.value);
        }
      },
      cancel: async () => {
        happened.ring({ isClosed: true });
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );

/** Throws ResourceNotFound for what is no script's command, InvalidInput for a Last-Event-ID that is none. */
export const watchOutput =
  (io: WatchOutputIo) =>
  async (
    caller: Caller,
    asked: { readonly actionId: string; readonly index: number; readonly lastEventId: string | null },
  ): Promise<ReadableStream<Uint8Array>> => {
    const action = await io.findAction(caller, asked.actionId);
    requireScript(action, asked.index);
    const events = outputEvents(parseEventId(asked.lastEventId));
    const happened = happenings();
    return streamOfEvents(allEvents(io, { reach: caller, action, index: asked.index, events, happened }), happened);
  };
