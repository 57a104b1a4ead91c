/** The real agent, as a process, over a state folder. */
import { join } from 'node:path';
import { until } from './until.ts';

const MAIN = join(import.meta.dir, '../src/main.ts');

const collect = (stream: ReadableStream<Uint8Array>): (() => string) => {
  let text = '';
  const decoder = new TextDecoder();
  void (async () => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  })();
  return () => text;
};

export const startAgent = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const child = Bun.spawn([process.execPath, '--no-install', '--no-env-file', MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/', ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return {
    pid: child.pid,
    stdout,
    stderr,
    exited: child.exited,
    kill: (signal: 'SIGTERM' | 'SIGKILL') => child.kill(signal),
    logged: (text: string) => until(`the log line ${text}`, () => stderr().includes(text)),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
};
