/** What the runner hands to a command, and what it gets back. */
import type { CommandType } from '@longarm/contract/commands/types';
import type { ActionId, Sha256 } from '@longarm/contract/ids';
import { COMMAND_ERROR_CHARACTERS, COMMAND_ERRORS } from '@longarm/contract/limits';
import type { ResultStream } from '@longarm/contract/result';
import type { EnvelopeCommand, EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { DeviceStep } from '@longarm/contract/wire/to-server';
import type { Platform } from '../platform/platform.ts';
import type { Guard, Ruling } from '../policy/guard.ts';
import type { ProcessIo } from '../process/run-process.ts';
import type { Environment } from '../process/script-environment.ts';
import type { TicketHolder, TransferIo } from '../transfer/transfer-io.ts';
import type { StateFolder } from './state-folder.ts';
import type { WorkingFolder } from './working-folder.ts';

/** Why a command is stopped from outside: its time is up, somebody cancelled it, or the agent itself stops. */
export type StopReason = 'timed-out' | 'cancelled' | 'agent-stops';

/** The world of the commands. */
export type CommandIo = {
  readonly transfer: TransferIo;
  readonly process: ProcessIo;
  readonly platform: Platform;
  /** Admits each command before it starts, or refuses it. */
  readonly guard: Pick<Guard, 'admit' | 'noteCollected'>;
  readonly folders: StateFolder;
  readonly workingFolder: WorkingFolder;
  /** Most bytes of the scripts that are kept for the next time. */
  readonly scriptCacheBytes: number;
  /** What scripts get of the agent's own environment. */
  readonly inherited: Environment;
  /** Absolute path of a program on this PATH, or null. */
  readonly which: (program: string, path: string) => string | null;
};

export type CommandRun = {
  readonly actionId: ActionId;
  readonly index: number;
  readonly ordered: EnvelopeCommand;
  /** Names of the files that earlier commands of this action put into the working folder. */
  readonly put: readonly string[];
  readonly terms: Pick<EnvelopePayload, 'maxGetBytes' | 'maxOutputBytes' | 'stopOnNonzeroExit'>;
  readonly ticket: TicketHolder;
  /** The bytes of a file that came with the offer, as they came; null for one that has to be fetched. */
  readonly brought: (sha256: Sha256) => Uint8Array | null;
  /** Does a part of the command, and has it timed where the action is traced. */
  readonly time: <Answer>(part: DeviceStep['name'], work: () => Promise<Answer>) => Promise<Answer>;
  /** Aborted when the command has to stop; `stopReason` says why. */
  readonly stop: AbortSignal;
  readonly stopReason: () => StopReason;
  readonly onProcess: (started: { readonly pid: number; readonly startTime: string | null }) => void;
};

export type CommandResult = {
  readonly stream: ResultStream;
  readonly path: string;
  readonly isSpool: boolean;
  readonly isUploaded: boolean;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly name: string;
  readonly cutBytes: number;
  /** All of it, where that is little: the journal keeps it, and its file is not synced. */
  readonly content?: Uint8Array | undefined;
};

export type CommandEnd = {
  readonly outcome: 'Completed' | 'Failed';
  readonly errors: readonly string[];
  readonly exitCode: number | null;
  readonly results: readonly CommandResult[];
};

/** What a handler gets: its own kind of command, and the rest of the run. */
export type HandlerRun<Type extends CommandType> = Omit<CommandRun, 'ordered'> & {
  readonly ordered: Omit<EnvelopeCommand, 'command'>;
  /** What the device's policy allows it, as it was when it was admitted. */
  readonly ruling: Ruling;
  readonly command: Extract<EnvelopeCommand['command'], { type: Type }>;
};

export const INTERRUPTED = 'interrupted: the agent restarted';

/** The sentence for a command that was stopped. */
export const stopSentence = (
  run: Pick<CommandRun, 'stopReason'> & { readonly ordered: Pick<EnvelopeCommand, 'timeLimitSeconds'> },
): string => {
  switch (run.stopReason()) {
    case 'timed-out':
      return `timed out after ${run.ordered.timeLimitSeconds} s`;
    case 'cancelled':
      return 'cancelled';
    case 'agent-stops':
      return INTERRUPTED;
  }
};

/** Sentences as the contract bounds them: so many, each so long. */
export const boundErrors = (errors: readonly string[]): string[] =>
  errors.slice(0, COMMAND_ERRORS).map((error) => error.slice(0, COMMAND_ERROR_CHARACTERS));

/** A command that did not run to its end and left nothing. */
export const failedWith = (...errors: readonly string[]): CommandEnd => ({
  outcome: 'Failed',
  errors,
  exitCode: null,
  results: [],
});

/** The sentences for a transfer that was stopped, with what stood in its way. */
export const stoppedTransfer = (run: Parameters<typeof stopSentence>[0], fault: string | null): CommandEnd =>
  fault === null
    ? failedWith(stopSentence(run))
    : failedWith(stopSentence(run), `the transfer could not go on: ${fault}`);
