/** The command line run in a world of a test's making: a folder of its own, a terminal that records, real sockets. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdminDoor } from '@longarm/contract/admin/operations';
import { openAuditFile } from '@longarm/server/store/audit/open-audit-file';
import { createManualWorld, type ManualWorld } from '@longarm/testkit/manual-world';
import {
  type FixtureOptions,
  type FixtureRoutes,
  type RestFixture,
  startRestFixture,
} from '@longarm/testkit/rest-fixture';
import { interruption } from '../src/faults/cli-fault.ts';
import { runLongarm } from '../src/run-longarm.ts';
import type { Io, Sink } from '../src/world/io.ts';

export type Outcome = { readonly code: number; readonly out: string; readonly err: string };

export type Session = {
  readonly folder: string;
  readonly world: ManualWorld;
  readonly fixture: RestFixture;
  /** Runs one command line without a server of its own: no connection options are added. */
  readonly bare: (...argv: string[]) => Promise<Outcome>;
  /** Runs one command line against the fixture. */
  readonly run: (...argv: string[]) => Promise<Outcome>;
  /** Resolves once the run that goes on has written this to stdout. */
  readonly written: (part: string) => Promise<void>;
  readonly interrupt: () => void;
  readonly close: () => Promise<void>;
};

export type SessionOptions = {
  readonly routes?: FixtureRoutes;
  readonly fixture?: FixtureOptions;
  readonly io?: Partial<Io>;
  readonly runServer?: (argv: readonly string[]) => Promise<number>;
  readonly runFleet?: (argv: readonly string[]) => Promise<number>;
  readonly openAdmin?: (dataFolder: string) => Promise<AdminDoor>;
};

const recorder = () => {
  const decoder = new TextDecoder();
  let text = '';
  let grown = Promise.withResolvers<void>();
  const sink: Sink = {
    write: async (chunk) => {
      text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      grown.resolve();
      grown = Promise.withResolvers();
    },
  };
  const holds = async (part: string): Promise<void> => {
    while (!text.includes(part)) await grown.promise;
  };
  return { sink, text: () => text, holds };
};

const notExpected = (): never => {
  throw new Error('not expected here');
};

export const openSession = async (options: SessionOptions = {}): Promise<Session> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-cli-'));
  await writeFile(join(folder, 'secret'), 'correct horse\n', { mode: 0o600 });
  const fixture = startRestFixture(options.routes ?? {}, options.fixture);
  const world = createManualWorld();
  let written: Session['written'] = notExpected;
  let interrupted = new AbortController();
  const bare = async (...argv: string[]): Promise<Outcome> => {
    const [out, err] = [recorder(), recorder()];
    written = out.holds;
    interrupted = new AbortController();
    const io: Io = {
      stdout: out.sink,
      stderr: err.sink,
      stdin: notExpected,
      isTty: false,
      columns: Number.POSITIVE_INFINITY,
      env: { XDG_CONFIG_HOME: join(folder, 'config') },
      homeFolder: folder,
      promptSecret: notExpected,
      promptText: notExpected,
      transport: fetch,
      world,
      interruption: () => interrupted.signal,
      ...options.io,
    };
    const { runServer = notExpected, runFleet = notExpected, openAdmin = notExpected } = options;
    const code = await runLongarm({ runServer, runFleet, openAdmin, openAuditFile, io }, argv);
    return { code, out: out.text(), err: err.text() };
  };
  const connection = ['--server', fixture.url, '--client-id', 'app', '--secret-file', join(folder, 'secret')];
  return {
    folder,
    world,
    fixture,
    bare,
    run: (...argv) => bare(...argv, ...connection),
    written: (part) => written(part),
    interrupt: () => interrupted.abort(interruption()),
    close: async () => {
      await fixture.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
