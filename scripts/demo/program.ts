/** A program of the checkout, run as a process of its own: its lines, its log, its end. */
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dir, '..', '..');
const PROGRAMS = {
  longarm: join(ROOT, 'packages', 'longarm', 'bin', 'longarm'),
  'longarm-agent': join(ROOT, 'packages', 'agent', 'bin', 'longarm-agent'),
} as const;
export type ProgramName = keyof typeof PROGRAMS;

export const programPath = (name: ProgramName): string => PROGRAMS[name];

/** What the demo could not go on after: the sentence to tell, and the log that says more. */
export class DemoFault extends Error {
  override readonly name = 'DemoFault';
  readonly logPath: string | null;
  constructor(sentence: string, logPath: string | null = null) {
    super(sentence);
    this.logPath = logPath;
  }
}

/** The environment of the demo without what would change the programs' own behaviour. */
const cleanEnv = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BUN_|LONGARM_)/.test(name)));

const STOP_MS = 5_000;

export type RunningProgram = {
  /** Waits for a line on stdout that matches. Throws `DemoFault` when the time is over, or the signal's reason. */
  readonly line: (pattern: RegExp, timeLimitMs: number) => Promise<RegExpExecArray>;
  readonly logPath: string;
  /** Ends the program: kindly first, for certain after some seconds. */
  readonly stop: () => Promise<void>;
};

export type Start = {
  readonly name: ProgramName;
  readonly args: readonly string[];
  readonly logPath: string;
  /** Called when the program ends without having been stopped. */
  readonly onOwnEnd: (fault: DemoFault) => void;
  /** Ends the waiting for lines, with its reason. */
  readonly signal: AbortSignal;
};

const collectLines = async (
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => Promise<void>,
): Promise<void> => {
  const decoder = new TextDecoder();
  for await (const chunk of stream) await take(decoder.decode(chunk, { stream: true }));
};

/** Starts it; everything that it says goes into the log file too. */
export const startProgram = (start: Start): RunningProgram => {
  const child = Bun.spawn([PROGRAMS[start.name], ...start.args], {
    env: cleanEnv(),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: Bun.file(start.logPath),
  });
  let said = '';
  let wake = () => {};
  start.signal.addEventListener('abort', () => wake());
  const reading = collectLines(child.stdout, async (text) => {
    said += text;
    wake();
    await appendFile(`${start.logPath}.out`, text);
  }).finally(() => wake());
  const line = async (pattern: RegExp, timeLimitMs: number): Promise<RegExpExecArray> => {
    const until = Date.now() + timeLimitMs;
    for (;;) {
      const found = pattern.exec(said);
      if (found !== null) return found;
      start.signal.throwIfAborted();
      const leftMs = until - Date.now();
      if (leftMs <= 0) {
        throw new DemoFault(
          `${start.name} said nothing like ${pattern.source} in ${timeLimitMs / 1000} s.`,
          start.logPath,
        );
      }
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([more, Bun.sleep(leftMs)]);
    }
  };
  let stopping = false;
  void child.exited.then(() => {
    const how = child.signalCode ?? child.exitCode;
    if (!stopping) start.onOwnEnd(new DemoFault(`${start.name} ended by itself (${how}).`, start.logPath));
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    child.kill('SIGTERM');
    const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await child.exited;
    clearTimeout(killing);
    await reading;
  };
  return { line, logPath: start.logPath, stop };
};

/** Runs `longarm` to its end and reads the JSON that it prints. */
export const askLongarm = async (args: readonly string[], env: Record<string, string> = {}): Promise<unknown> => {
  const child = Bun.spawn([PROGRAMS.longarm, ...args, '--json'], {
    env: { ...cleanEnv(), ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new DemoFault(`\`longarm ${args.slice(0, 2).join(' ')}\` ended with ${code}: ${err.trim()}`);
  return JSON.parse(out);
};

/** The last lines of a program's log, what it said on stdout behind it. */
export const logTail = async (logPath: string, lineCount: number): Promise<readonly string[]> => {
  const texts = await Promise.all([logPath, `${logPath}.out`].map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.join('').trimEnd().split('\n').slice(-lineCount);
};
