/**
 * From a request to its result in the caller's hands, next to starting the same script here and making two durable
 * commits, and next to `ssh` over a connection that is kept, where there is an sshd:
 *
 *   bun --no-install bench/latency.ts [runs] | --quick
 *
 * Server and agent are processes of their own; the three take turns. Prints percentiles, the share of each step, and
 * the ratio of the medians.
 */

import { keptSsh } from './latency/kept-ssh.ts';
import { localStart } from './latency/local-start.ts';
import { measureLongarm, STEPS, type Steps } from './latency/longarm.ts';
import { percentileOf } from './latency/percentile.ts';

const WARM_UP = 20;
/** At most this long, however many runs were asked for. */
const BOUND_MS = 55_000;
const isQuick = process.argv.includes('--quick');
const runs = isQuick ? 10 : Number(process.argv[2] ?? 1_000);

const line = (name: string, values: readonly number[]): string =>
  `${name}: ${[50, 95, 99].map((rank) => `p${rank} ${percentileOf(values, rank).toFixed(1)} ms`).join(', ')}`;

const started = performance.now();
const longarm = await measureLongarm();
const local = await localStart();
const ssh = await keptSsh();
const whole: number[] = [];
const bare: number[] = [];
const remote: number[] = [];
const steps: Steps[] = [];
try {
  for (let run = -Math.min(WARM_UP, runs); run < runs && performance.now() - started < BOUND_MS; run++) {
    const measured = await longarm.run();
    const here = await local.run();
    const there = await ssh?.run();
    if (run < 0) continue;
    whole.push(measured.wholeMs);
    steps.push(measured.steps);
    bare.push(here);
    if (there !== undefined) remote.push(there);
  }
} finally {
  await ssh?.close();
  await local.close();
  await longarm.close();
}
console.log(`${whole.length} runs`);
console.log(line('request to downloaded result', whole));
console.log(line('the same script here, two durable commits', bare));
console.log(remote.length > 0 ? line('ssh, connection kept', remote) : 'ssh: there is no sshd here');
for (const step of STEPS) {
  console.log(
    line(
      `  ${step}`,
      steps.map((of) => of[step]),
    ),
  );
}
const ratio = percentileOf(whole, 50) / percentileOf(bare, 50);
const overSsh = remote.length > 0 ? `; ${(percentileOf(whole, 50) / percentileOf(remote, 50)).toFixed(2)} of ssh` : '';
console.log(`ratio: ${ratio.toFixed(2)} times the local start (wanted: 2)${overSsh}`);
