/** What the demo tells: with ticks and colour where a person watches, in plain lines otherwise. */
import { painter } from '@longarm/cli/display/paint';
import type { Io } from '@longarm/cli/world/io';

export type Say = {
  readonly title: (text: string) => Promise<void>;
  /** Something that has been reached, with the seconds since the start. */
  readonly done: (text: string) => Promise<void>;
  readonly line: (text: string) => Promise<void>;
};

export const createSay = (io: Io): Say => {
  const paint = painter(io);
  const startMs = io.world.now();
  const since = () => `${((io.world.now() - startMs) / 1000).toFixed(1)} s`.padStart(6);
  return {
    title: (text) => io.stdout.write(`\n${paint('bold', text)}\n`),
    done: (text) => io.stdout.write(`${paint('good', '✓')} ${paint('dim', since())}  ${text}\n`),
    line: (text) => io.stdout.write(`${text}\n`),
  };
};
