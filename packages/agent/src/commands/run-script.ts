/** RunScript: the pinned script runs in the working folder, with its arguments as they are, until it ends or has to. */

import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import { argsFault, splitArgs } from '@longarm/contract/args';
import { faultText } from '../platform/fault.ts';
import type { Captured } from '../process/capture.ts';
import { findInterpreter, needsFirstLine } from '../process/interpreter.ts';
import { type ProcessEnd, runProcess } from '../process/run-process.ts';
import { actionMark, scriptEnvironment } from '../process/script-environment.ts';
import {
  type CommandEnd,
  type CommandIo,
  type CommandResult,
  failedWith,
  type HandlerRun,
  stopSentence,
} from './command-run.ts';
import { cutSentences } from './cut-sentences.ts';
import { fetchedScript } from './script-cache.ts';

type ScriptRun = HandlerRun<'RunScript'>;

/** Enough for a first line. */
const START_BYTES = 1_024;

const startOf = async (path: string): Promise<string> => {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(START_BYTES), 0, START_BYTES, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
};

const resultOf = (
  stream: 'stdout' | 'stderr',
  { path, sha256, sizeBytes, cutBytes, content }: Captured,
): CommandResult => ({
  stream,
  path,
  isSpool: true,
  isUploaded: false,
  sha256,
  sizeBytes,
  name: stream,
  cutBytes,
  ...(content === null ? {} : { content }),
});

type Judged = Pick<CommandEnd, 'outcome' | 'errors' | 'exitCode'>;

const judgeStopped = (run: ScriptRun, end: ProcessEnd): Judged => ({
  outcome: 'Failed',
  errors: [
    stopSentence(run),
    ...(end.wasKilled ? ['it did not end when asked, and was killed'] : []),
    ...(end.left.length > 0 ? [`these processes could not be ended: ${end.left.join(', ')}`] : []),
  ],
  exitCode: 128 + (end.signal ?? constants.signals.SIGTERM),
});

/** Semantics 7: a script that ran to its end is Completed whatever it said; one that a signal ended is not. */
const judge = (run: ScriptRun, end: ProcessEnd): Judged => {
  if (run.stop.aborted) return judgeStopped(run, end);
  if (end.signal !== null)
    return { outcome: 'Failed', errors: [`ended by signal ${end.signal}`], exitCode: 128 + end.signal };
  const { exitCode } = end;
  const isFault = exitCode !== 0 && run.terms.stopOnNonzeroExit;
  return { outcome: isFault ? 'Failed' : 'Completed', errors: isFault ? [`exited with ${exitCode}`] : [], exitCode };
};

const execute = async (io: CommandIo, run: ScriptRun, command: readonly string[]): Promise<CommandEnd> => {
  const { actionId, index } = run;
  const end = await runProcess(io.process, {
    command,
    folder: io.workingFolder.path,
    environment: environmentOf(io, run),
    spool: {
      stdout: io.folders.spoolFile(actionId, index, 'stdout'),
      stderr: io.folders.spoolFile(actionId, index, 'stderr'),
      maxBytes: run.terms.maxOutputBytes,
    },
    mark: actionMark(actionId),
    stop: run.stop,
    onStarted: run.onProcess,
  });
  const { stdout, stderr } = end;
  const judged = judge(run, end);
  return {
    ...judged,
    errors: [...judged.errors, ...cutSentences({ stdout, stderr })],
    results: [resultOf('stdout', stdout), resultOf('stderr', stderr)],
  };
};

const environmentOf = (io: CommandIo, { actionId, index }: ScriptRun) =>
  scriptEnvironment(
    { osPlatform: io.platform.osPlatform, inherited: io.inherited },
    { actionId, index, workingFolder: io.workingFolder.path },
  );

const interpreterOf = async (io: CommandIo, run: ScriptRun, path: string) => {
  // Windows spells the name its own way
  const { PATH, Path } = environmentOf(io, run);
  const { osPlatform } = io.platform;
  const { scriptName: name } = run.command;
  return findInterpreter(
    { osPlatform, which: (program) => io.which(program, PATH ?? Path ?? '') },
    { name, start: needsFirstLine(name, osPlatform) ? await startOf(path) : '' },
  );
};

export const runScript = async (io: CommandIo, run: ScriptRun): Promise<CommandEnd> => {
  const { scriptName, args } = run.command;
  const split = splitArgs(args);
  const fault = argsFault(scriptName, split);
  if (fault !== null) return failedWith(fault);
  const script = await run.time('fetch', () => fetchedScript(io, run));
  if (script.kind === 'failed') return script.end;
  if (run.stop.aborted) return failedWith(stopSentence(run));
  const interpreter = await interpreterOf(io, run, script.path);
  if (interpreter.kind === 'missing') return failedWith(interpreter.sentence);
  try {
    return await run.time('run', () => execute(io, run, [...interpreter.command, script.path, ...split]));
  } catch (cause) {
    return failedWith(`${scriptName}: could not be started: ${faultText(cause)}`);
  }
};
