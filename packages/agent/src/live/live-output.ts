/**
 * Output of what runs, for those who look on: read from its spool at their pace, so that nobody's slowness holds up a
 * script or fills memory. Without a watcher nothing is read and nothing is sent.
 */
import type { ActionId } from '@longarm/contract/ids';
import { OUTPUT_FRAME_BYTES, OUTPUT_FRAMES_AHEAD, WATCHES_PER_DEVICE } from '@longarm/contract/limits';
import { SCRIPT_STREAMS, type ScriptStream } from '@longarm/contract/result';
import type { Output } from '@longarm/contract/wire/live-output';
import type { WatchFrame } from '@longarm/contract/wire/to-agent';
import { type After, pause } from '../platform/timers.ts';
import type { Spool } from '../process/output-files.ts';
import { readOutput } from '../process/read-output.ts';

/** How often a spool is looked at for more, milliseconds. */
const LOOK_MS = 100;

type LiveIo = {
  /** Where the output of a command lies or will lie; null for an action that is not here. */
  readonly spoolOf: (command: {
    readonly actionId: ActionId;
    readonly index: number;
    readonly stream: ScriptStream;
  }) => Spool | null;
  readonly after: After;
};

type Frame<Type extends WatchFrame['type']> = Extract<WatchFrame, { type: Type }>;
type Send = (frame: Output) => void;

export type LiveOutput = {
  readonly connected: (send: Send) => void;
  readonly disconnected: () => void;
  readonly hear: (frame: WatchFrame) => void;
};

type Watching = {
  readonly watch: Frame<'watch'>;
  readonly offsets: Record<ScriptStream, number>;
  /** Frames that may be sent yet. */
  frames: number;
  readonly over: AbortController;
  /** Aborted when there is something to do before the next look. */
  nap: AbortController;
};

/** True when there may be more at once. */
const sendPiece = async (
  io: LiveIo,
  watching: Watching,
  to: { stream: ScriptStream; send: Send },
): Promise<boolean> => {
  const { watchId, actionId, index } = watching.watch;
  const { stream, send } = to;
  const spool = watching.frames > 0 ? io.spoolOf({ actionId, index, stream }) : null;
  if (spool === null) return false;
  const piece = await readOutput(spool, { offset: watching.offsets[stream], maxBytes: OUTPUT_FRAME_BYTES });
  if (piece === null || watching.over.signal.aborted) return false;
  const { offset, bytes } = piece;
  const data = Buffer.from(bytes).toString('base64');
  watching.offsets[stream] = offset + bytes.length;
  watching.frames--;
  send({ type: 'output', watchId, actionId, index, stream, offset, data });
  return bytes.length === OUTPUT_FRAME_BYTES;
};

const pump = async (io: LiveIo, watching: Watching, send: Send): Promise<void> => {
  const { over } = watching;
  while (!over.signal.aborted) {
    watching.nap = new AbortController();
    let isMore = false;
    for (const stream of SCRIPT_STREAMS) isMore = (await sendPiece(io, watching, { stream, send })) || isMore;
    if (isMore && watching.frames > 0) continue;
    await pause(io.after, LOOK_MS, AbortSignal.any([over.signal, watching.nap.signal]));
  }
};

export const liveOutput = (io: LiveIo): LiveOutput => {
  const watches = new Map<string, Watching>();
  let send: Send = () => {};

  const end = (watchId: string) => {
    watches.get(watchId)?.over.abort();
    watches.delete(watchId);
  };
  const begin = (watch: Frame<'watch'>) => {
    end(watch.watchId);
    if (watches.size >= WATCHES_PER_DEVICE) return;
    const watching: Watching = {
      watch,
      offsets: { ...watch.from },
      frames: watch.frames,
      over: new AbortController(),
      nap: new AbortController(),
    };
    watches.set(watch.watchId, watching);
    void pump(io, watching, send);
  };
  const allowMore = ({ watchId, frames }: Frame<'watch-more'>) => {
    const watching = watches.get(watchId);
    if (watching === undefined) return;
    const wasStuck = watching.frames === 0;
    watching.frames = Math.min(watching.frames + frames, OUTPUT_FRAMES_AHEAD);
    if (wasStuck) watching.nap.abort();
  };
  const endAll = () => {
    for (const watchId of [...watches.keys()]) end(watchId);
  };

  return {
    connected: (sendFrame) => {
      endAll();
      send = sendFrame;
    },
    disconnected: endAll,
    hear: (frame) => {
      switch (frame.type) {
        case 'watch':
          return begin(frame);
        case 'watch-more':
          return allowMore(frame);
        case 'unwatch':
          return end(frame.watchId);
      }
    },
  };
};
