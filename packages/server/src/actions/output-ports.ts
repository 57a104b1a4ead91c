/** Live output of scripts, as doors and bus promise it to each other: a hint, lost with no harm, never a row. */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { ScriptStream } from '@longarm/contract/result';
import type { WatchFrame } from '@longarm/contract/wire/to-agent';

/** Bytes of each raw stream. */
export type OutputOffsets = Readonly<Record<ScriptStream, number>>;

export type OutputPiece = { readonly stream: ScriptStream; readonly offset: number; readonly bytes: Uint8Array };

export type WatchedCommand = { readonly machineId: MachineId; readonly actionId: ActionId; readonly index: number };

export type OutputWatch = {
  /** One piece has been passed on: the device may send another. Who never says so gets no more than a few. */
  readonly taken: () => void;
  readonly stop: () => void;
};

export type LiveOutput = {
  /**
   * Calls back with pieces of what the command says, from these places on, each stream in order and no byte twice; a
   * piece that begins later than the one before ended says that what lay between is lost here. Goes on when a device
   * that was away is back. Never ends by itself.
   */
  readonly watch: (command: WatchedCommand, from: OutputOffsets, onPiece: (piece: OutputPiece) => void) => OutputWatch;
};

/** The way to a connected device; false when this process does not hold it. */
export type OutputLink = { readonly tellWatch: (machineId: MachineId, frame: WatchFrame) => boolean };
