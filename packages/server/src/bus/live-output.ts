/** Live output within one process: from the devices' frames to those who watch. Bounded by what was allowed ahead. */
import type { MachineId } from '@longarm/contract/ids';
import { OUTPUT_FRAMES_AHEAD } from '@longarm/contract/limits';
import type { ScriptStream } from '@longarm/contract/result';
import type { Output } from '@longarm/contract/wire/live-output';
import type { LiveOutput, OutputLink, OutputPiece, WatchedCommand } from '../actions/output-ports.ts';

/** Taken pieces are told to the device so many at once. */
const TOLD_AT_ONCE = OUTPUT_FRAMES_AHEAD / 2;

type Watching = {
  readonly watchId: string;
  readonly command: WatchedCommand;
  /** Where the next piece of each stream begins. */
  readonly next: Record<ScriptStream, number>;
  readonly onPiece: (piece: OutputPiece) => void;
  /** Frames that the device may send yet. */
  allowed: number;
  /** Pieces passed on and not yet taken. */
  waiting: number;
  /** Frames done with that the device has not been told of. */
  taken: number;
};

export type LocalLiveOutput = LiveOutput & {
  /** A device's frame; one that nobody asked for is answered with `unwatch`, and false. */
  readonly deliver: (machineId: MachineId, frame: Output) => boolean;
  /** The device has connected: it knows of no watch. */
  readonly connected: (machineId: MachineId) => void;
};

/** What of the frame is new, or null. */
const newPart = ({ next }: Watching, { stream, offset, data }: Output): OutputPiece | null => {
  const bytes = Buffer.from(data, 'base64');
  const known = Math.max(0, next[stream] - offset);
  return known >= bytes.length ? null : { stream, offset: offset + known, bytes: bytes.subarray(known) };
};

const tellStart = (link: OutputLink, watching: Watching): void => {
  const { watchId, command, next } = watching;
  watching.allowed = OUTPUT_FRAMES_AHEAD - watching.waiting;
  watching.taken = 0;
  link.tellWatch(command.machineId, {
    type: 'watch',
    watchId,
    actionId: command.actionId,
    index: command.index,
    from: { ...next },
    frames: watching.allowed,
  });
};

const tellTaken = (link: OutputLink, watching: Watching): void => {
  watching.taken++;
  if (watching.taken < TOLD_AT_ONCE) return;
  const { watchId, taken: frames } = watching;
  watching.allowed += frames;
  watching.taken = 0;
  link.tellWatch(watching.command.machineId, { type: 'watch-more', watchId, frames });
};

const passOn = (link: OutputLink, watching: Watching, frame: Output): boolean => {
  // one that sends more than it may is not listened to: memory stays bounded
  if (watching.allowed <= 0) return false;
  watching.allowed--;
  const piece = newPart(watching, frame);
  if (piece === null) {
    tellTaken(link, watching);
    return true;
  }
  watching.waiting++;
  watching.next[piece.stream] = piece.offset + piece.bytes.length;
  watching.onPiece(piece);
  return true;
};

export const liveOutput = (io: { readonly link: OutputLink; readonly newId: () => string }): LocalLiveOutput => {
  const { link } = io;
  const watches = new Map<string, Watching>();
  return {
    watch: (command, from, onPiece) => {
      const watchId = io.newId();
      const watching: Watching = { watchId, command, next: { ...from }, onPiece, allowed: 0, waiting: 0, taken: 0 };
      watches.set(watchId, watching);
      tellStart(link, watching);
      return {
        taken: () => {
          watching.waiting--;
          if (watches.has(watchId)) tellTaken(link, watching);
        },
        stop: () => {
          if (watches.delete(watchId)) link.tellWatch(command.machineId, { type: 'unwatch', watchId });
        },
      };
    },
    deliver: (machineId, frame) => {
      const watching = watches.get(frame.watchId);
      const { command } = watching ?? {};
      const isAsked =
        command?.machineId === machineId && command.actionId === frame.actionId && command.index === frame.index;
      if (watching !== undefined && isAsked) return passOn(link, watching, frame);
      link.tellWatch(machineId, { type: 'unwatch', watchId: frame.watchId });
      return false;
    },
    connected: (machineId) => {
      for (const watching of watches.values()) if (watching.command.machineId === machineId) tellStart(link, watching);
    },
  };
};
