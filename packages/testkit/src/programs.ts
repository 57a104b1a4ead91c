/** The programs of the checkout as real processes: started, watched, killed and started again. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const START_MS = 20_000;

export const PROGRAMS = {
  longarm: 'packages/longarm/src/main.ts',
  'longarm-agent': 'packages/agent/src/main.ts',
} as const;
export type ProgramName = keyof typeof PROGRAMS;

export type Program = {
  readonly pid: number;
  /** Everything that it wrote so far, both streams. */
  readonly output: () => string;
  /** The first line that fits, from now or before; throws with the output when none comes in time or it ends. */
  readonly line: (form: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>;
  /** Resolves to the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** Sends the signal and waits for the end. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | string>;
};

/** By LONGARM_TEST_GATEWAYS=N the servers of tests hold connections in so many processes: same tests, same promises. */
export const gatewayFlags = (): readonly string[] => {
  const gateways = process.env.LONGARM_TEST_GATEWAYS;
  return gateways === undefined ? [] : ['--gateways', gateways];
};

/** What starts the `longarm` program from its source; arguments follow. */
export const longarmCommand = (): readonly string[] => sourceCommand('longarm', {});

const environment = (extra: Readonly<Record<string, string>>): Record<string, string> => {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'USER', 'SystemRoot'];
  const base = Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return { ...base, ...extra };
};

type Child = ChildProcessByStdio<null, Readable, Readable>;

const watchOutput = (child: Child) => {
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const listener of listeners) listener();
    });
  }
  return { text: () => text, listeners };
};

const runChild = (child: Child, name: string): Program => {
  const { text, listeners } = watchOutput(child);
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')),
  );
  const line = (form: RegExp, timeoutMs = START_MS): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = () => {
      const match = form.exec(text());
      if (match !== null) resolve(match);
    };
    const fail = (why: string) => reject(new Error(`${name}: ${why}, and never said ${form}. It said:\n${text()}`));
    const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
    listeners.add(look);
    ended.then((code) => {
      look();
      fail(`it ended with ${code}`);
    });
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(look);
    });
  };
  return {
    pid: child.pid ?? 0,
    output: text,
    line,
    ended,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
};

export type StartOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** A module that is loaded before the program: to give it another clock, say. */
  readonly preload?: string;
  /** What to run instead of the program's source: an executable of it, and what runs that where something must. */
  readonly command?: readonly [string, ...string[]];
  /** Folder that it is started in; the root of the checkout when none is given. */
  readonly folder?: string;
};

const sourceCommand = (name: ProgramName, { preload }: StartOptions): readonly [string, ...string[]] => {
  const preloads = preload === undefined ? [] : ['--preload', preload];
  return [process.execPath, '--no-install', '--no-env-file', ...preloads, `${ROOT}${PROGRAMS[name]}`];
};

/** Starts a program: from its source on the pinned runtime, or by the command given. */
export const startProgram = (name: ProgramName, args: readonly string[], options: StartOptions = {}): Program => {
  const [file, ...before] = options.command ?? sourceCommand(name, options);
  const child = spawn(file, [...before, ...args], {
    cwd: options.folder ?? ROOT,
    env: environment(options.env ?? {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return runChild(child, name);
};
