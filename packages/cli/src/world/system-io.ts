/** The command line's view of the process that it runs in. */
import { password, text } from '@clack/prompts';
import type { ClientWorld } from '@longarm/client/world';
import { interruption } from '../faults/cli-fault.ts';
import type { Io, Sink } from './io.ts';

export type Host = {
  readonly process: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'once'>;
  readonly env: Io['env'];
  readonly homeFolder: string;
  readonly world: ClientWorld;
};

/** Resolves when the chunk has left; what a closed pipe refuses is lost, as its reader wants. */
const sinkOf = (stream: NodeJS.WriteStream): Sink => ({
  write: (chunk) =>
    new Promise((resolve) => {
      stream.write(chunk, () => resolve());
    }),
});

const promptSecret = async (question: string): Promise<string | null> => {
  const answer = await password({ message: question });
  return typeof answer === 'string' ? answer : null;
};

const promptText = async (question: string): Promise<string | null> => {
  const answer = await text({ message: question });
  return typeof answer === 'string' ? answer : null;
};

/** A signal that the first Ctrl-C aborts; the second one ends the process, as it always does. */
const onceInterrupted = (host: Host): (() => AbortSignal) => {
  let controller: AbortController | null = null;
  return () => {
    if (controller === null) {
      const made = new AbortController();
      host.process.once('SIGINT', () => made.abort(interruption()));
      controller = made;
    }
    return controller.signal;
  };
};

export const systemIo = (host: Host): Io => {
  const { stdout, stderr } = host.process;
  return {
    stdout: sinkOf(stdout),
    stderr: sinkOf(stderr),
    stdin: () => Bun.stdin.text(),
    isTty: stdout.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns : Number.POSITIVE_INFINITY,
    env: host.env,
    homeFolder: host.homeFolder,
    promptSecret,
    promptText,
    transport: fetch,
    world: host.world,
    interruption: onceInterrupted(host),
  };
};
