/** The processes of a fleet as one: started, told what to do, listened to, and ended. */

import { addTallies, Tally } from '../agent/tally.ts';
import type { Assignment, Order } from './assignment.ts';

export type Crew = {
  readonly connect: () => void;
  /** Of all processes together. */
  readonly tally: () => Tally;
  /** Resolves as soon as it holds; rejects after the time, and when a process of the fleet has ended. */
  readonly until: (what: string, holds: (tally: Tally) => boolean, timeoutMs: number) => Promise<Tally>;
  readonly stop: () => Promise<void>;
};

type Process = {
  readonly tell: (order: Order) => void;
  readonly tally: () => Tally;
  readonly stop: () => Promise<void>;
  readonly failed: () => string | null;
};

const readLines = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (line: string) => void) => {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
};

/** `command` starts a process that does `runProcess`. */
const startProcess = (command: readonly string[], task: Assignment, onTally: () => void): Process => {
  const child = Bun.spawn([...command], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
  let latest: Tally = addTallies([]);
  let said = '';
  let isStopping = false;
  const tell = (order: Order) => {
    void child.stdin.write(`${JSON.stringify(order)}\n`);
    void child.stdin.flush();
  };
  void readLines(child.stdout, (line) => {
    const news = Tally.parse(JSON.parse(line));
    const connectMs = latest.connectMs.concat(news.connectMs);
    latest = { ...news, connectMs, actionMs: latest.actionMs.concat(news.actionMs) };
    onTally();
  });
  void child.stderr.text().then((text) => {
    said = text.trim();
  });
  void child.exited.then(onTally);
  tell(task);
  return {
    tell,
    tally: () => latest,
    failed: () => (child.exitCode === null || isStopping ? null : `a process of the fleet ended: ${said}`),
    stop: async () => {
      isStopping = true;
      await child.stdin.end();
      await child.exited;
    },
  };
};

export const startCrew = (command: readonly string[], tasks: readonly Assignment[]): Crew => {
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watch of watchers) watch();
  };
  const processes = tasks.map((task) => startProcess(command, task, wake));
  const tally = () => addTallies(processes.map((each) => each.tally()));
  const failure = () => processes.map((each) => each.failed()).find((fault) => fault !== null) ?? null;
  return {
    connect: () => {
      for (const each of processes) each.tell({ order: 'connect' });
    },
    tally,
    until: (what, holds, timeoutMs) => {
      const { promise, resolve, reject } = Promise.withResolvers<Tally>();
      const look = () => {
        const failed = failure();
        if (failed !== null) reject(new Error(failed));
        else if (holds(tally())) resolve(tally());
      };
      const giveUp = () =>
        reject(new Error(`expected ${what} within ${timeoutMs / 1_000} s, got ${sentenceOf(tally())}`));
      const timer = setTimeout(giveUp, timeoutMs);
      watchers.add(look);
      look();
      return promise.finally(() => {
        clearTimeout(timer);
        watchers.delete(look);
      });
    },
    stop: async () => {
      await Promise.all(processes.map((each) => each.stop()));
    },
  };
};

/** A tally in a few words, with what went wrong most often, for progress and faults. */
export const sentenceOf = (tally: Tally): string => {
  const failures = Object.entries(tally.failures).toSorted(([, a], [, b]) => b - a);
  const count = failures.reduce((sum, [, each]) => sum + each, 0);
  const most = failures[0] === undefined ? '' : `, most of them: ${failures[0][0]}`;
  return `${tally.enrolled} of ${tally.agents} enrolled, ${tally.connected} connected, ${tally.ended} actions done, ${count} failures${most}`;
};
