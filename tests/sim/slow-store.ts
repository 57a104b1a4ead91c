/** A store whose answers take their time: units one after another as its port promises, reads whenever they come. */
import type { Store } from '@longarm/server/store/open-store';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';

type SlowIo = {
  readonly life: Life;
  /** Milliseconds since the world began. */
  readonly now: () => number;
  readonly random: Random;
  readonly faults: Faults;
};

const READS: ReadonlySet<string | symbol> = new Set([
  'machinesToServe',
  'unconfirmedCancels',
  'get',
  'list',
  'identity',
  'resolve',
  'findUpload',
  'hasStream',
  'pinnedBy',
  'unreferenced',
  'smallBlob',
]);

/** The port with each method called later, and answering later. */
const slowed = <Port extends object>(
  port: Port,
  call: (isRead: boolean, run: () => unknown) => Promise<unknown>,
): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...parameters: readonly unknown[]) =>
        call(READS.has(name), () => Reflect.apply(method, target, parameters));
    },
  });

export const slowStore = (store: Store, { life, now, random, faults }: SlowIo): Store => {
  let lastStart = 0;
  let lastAnswer = 0;
  const never = new Promise<never>(() => {});
  const moment = () => now() + (faults.strikes('store-slow', 0.02) ? random.int(50, 3_000) : random.int(0, 4));
  const waitUntil = (atMs: number) => life.sleep(atMs - now());
  const inLine = async (run: () => unknown): Promise<unknown> => {
    lastStart = Math.max(lastStart, moment());
    await waitUntil(lastStart);
    const answer = await run();
    lastAnswer = Math.max(lastAnswer, moment());
    await waitUntil(lastAnswer);
    return answer;
  };
  const asRead = async (run: () => unknown): Promise<unknown> => {
    await waitUntil(moment());
    const answer = await run();
    await waitUntil(moment());
    return answer;
  };
  const call = (isRead: boolean, run: () => unknown): Promise<unknown> =>
    (isRead ? asRead(run) : inLine(run)).catch((fault) => {
      if (life.isOver()) return never;
      throw fault;
    });
  return {
    ...store,
    actions: slowed(store.actions, call),
    machines: slowed(store.machines, call),
    results: slowed(store.results, call),
  };
};
