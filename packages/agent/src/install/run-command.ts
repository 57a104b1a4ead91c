/** Runs one of the system's own tools, and says what it said where it fails. */
import { faultText } from '../platform/fault.ts';
import type { Command } from './service.ts';

/** Starting and stopping a service waits for it. */
const COMMAND_MS = 120_000;

const spawn = (command: Command) => {
  try {
    return Bun.spawnSync([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', timeout: COMMAND_MS });
  } catch (cause) {
    throw new Error(`${command[0]}: expected this tool of the system, got: ${faultText(cause)}`, { cause });
  }
};

/** Gives what it printed. Throws a sentence when it is not there or does not end with 0. */
export const runCommand = (command: Command): string => {
  const done = spawn(command);
  if (done.success) return done.stdout.toString('utf8').trim();
  const said = done.stderr.toString('utf8').trim() || done.stdout.toString('utf8').trim();
  throw new Error(`${command.join(' ')}: expected exit code 0, got ${done.exitCode ?? 'none in time'}. ${said}`);
};
