/** Runs one of the system's own tools and gives what it printed; null when it is not there or fails. */

/** A tool that hangs must not hang the agent. */
const TOOL_MS = 5_000;

export const runTool = (command: readonly [string, ...string[]]): string | null => {
  try {
    const done = Bun.spawnSync([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore', timeout: TOOL_MS });
    return done.success ? done.stdout.toString('utf8').trim() : null;
  } catch {
    return null;
  }
};
