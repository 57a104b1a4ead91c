/**
 * `npm run demo`: a server, a device and one sequence of commands on this machine, in real processes, in a few
 * seconds. `npm run demo -- --keep` leaves server and device running until Ctrl-C.
 */
import { homedir } from 'node:os';
import { interruption } from '@longarm/cli/faults/cli-fault';
import { explain } from '@longarm/cli/faults/explain';
import { systemIo } from '@longarm/cli/world/system-io';
import { DemoFault, programPath } from './demo/program.ts';
import { createSay, type Say } from './demo/say.ts';
import { playSequence } from './demo/sequence.ts';
import { closeEnsemble, type Ensemble, openEnsemble, type Stage, setStage, tails } from './demo/stage.ts';

const world = {
  now: Date.now,
  after: (delayMs: number, wake: () => void) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
  randomId: () => crypto.randomUUID(),
};

const io = systemIo({ process, env: process.env, homeFolder: homedir(), world });

const sayHowToGoOn = async (stage: Stage, say: Say): Promise<void> => {
  const longarm = `XDG_CONFIG_HOME=${stage.configFolder} ${programPath('longarm')}`;
  await say.title('Server and device go on. Ctrl-C stops both and removes the folder.');
  await say.line(`server   ${stage.url}   CA ${stage.caPath}`);
  await say.line(`folder   ${stage.folder}`);
  await say.line(`results  ${stage.resultFolder}`);
  await say.line('In another terminal:');
  await say.line(`  ${longarm} machines`);
  await say.line(`  ${longarm} run ${stage.machine.id} --script collect-basics.sh --args 4712 --comment again --wait`);
  await say.line(`  ${longarm} actions`);
};

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Resolves when all has been shown; with `keep`, when the person or a program ends it after that. */
const play = async (ensemble: Ensemble, say: Say, keep: boolean): Promise<void> => {
  const { signal } = ensemble;
  await say.title('Longarm: a server and a device on this machine');
  const stage = await setStage(ensemble, { world, say });
  await playSequence(io, stage, { say, signal });
  if (!keep) return;
  await sayHowToGoOn(stage, say);
  await untilAborted(signal);
  if (signal.reason instanceof DemoFault) throw signal.reason;
};

const complain = async (ensemble: Ensemble, failure: unknown): Promise<void> => {
  const { sentence, next } = explain(failure);
  const logPath = failure instanceof DemoFault ? failure.logPath : null;
  const told = failure instanceof DemoFault ? [failure.message] : [sentence, ...(next === null ? [] : [next])];
  const lines = [`\ndemo: ${told.join('\n  ')}`, ...(await tails(ensemble, logPath))];
  await io.stderr.write(`${lines.join('\n')}\n`);
};

const main = async (args: readonly string[]): Promise<number> => {
  const keep = args.includes('--keep');
  if (process.platform === 'win32') {
    await io.stderr.write('demo: its script needs bash, so it runs on Linux and macOS only.\n');
    return 1;
  }
  const ensemble = await openEnsemble();
  const say = createSay(io);
  const interrupted = io.interruption();
  interrupted.addEventListener('abort', () => ensemble.end(interruption()));
  let succeeded = false;
  try {
    await play(ensemble, say, keep);
    succeeded = true;
  } catch (failure) {
    if (!interrupted.aborted) await complain(ensemble, failure);
  } finally {
    await closeEnsemble(ensemble, succeeded && !keep);
  }
  const left = succeeded && !keep ? `stopped. The results stay in ${ensemble.folder}` : 'stopped and removed';
  await say.title(`Everything is ${left}.`);
  return succeeded ? 0 : 1;
};

process.exit(await main(process.argv.slice(2)));
