/** The server as something that is started again whenever it has crashed, on what was committed. */
import type { Faults } from './faults.ts';
import { type Life, newLife } from './life.ts';
import { type ServerIo, type ServerProgram, startServer } from './server-program.ts';
import type { VirtualTime } from './virtual-time.ts';

export type SimulatedServer = {
  readonly start: () => void;
  /** Null while it does not listen. */
  readonly program: () => ServerProgram | null;
  /** It dies at one of its next effects. */
  readonly crashSoon: () => void;
  /** Its machine loses its power, now or at one of its next effects: what was not synced may be lost. */
  readonly losePowerSoon: () => void;
  /** Milliseconds since the world began from which on it listens without a break; null while it does not. */
  readonly upSince: () => number | null;
};

export const simulatedServer = (
  io: ServerIo & { readonly time: VirtualTime; readonly faults: Faults },
): SimulatedServer => {
  const { time, random, faults, trace } = io;
  let life: Life | null = null;
  let running: ServerProgram | null = null;
  let upSince: number | null = null;
  const start = () => {
    const own = newLife(time);
    life = own;
    trace.tell('server', 'starts');
    own.onEnd(() => {
      trace.tell('server', 'is over');
      running = null;
      upSince = null;
      time.after(random.int(100, 30_000), start);
    });
    startServer(io, own).then(
      (program) => {
        if (own.isOver()) return;
        running = program;
        upSince = time.now();
      },
      (fault) => {
        if (!own.isOver()) trace.tell('server', `could not start: ${fault}`);
        own.end();
      },
    );
  };
  const endSoon = (onEnd: () => void) => {
    if (life === null || life.isOver()) return;
    life.onEnd(onEnd);
    if (random.chance(0.2)) life.end();
    else life.doom(random.int(0, 60));
  };
  return {
    start,
    program: () => running,
    upSince: () => upSince,
    crashSoon: () => endSoon(() => faults.count('server-crash')),
    losePowerSoon: () =>
      endSoon(() => {
        faults.count('server-power-loss');
        trace.tell('server', 'has lost its power');
        io.database.losePower();
        io.blobs.losePower();
      }),
  };
};
