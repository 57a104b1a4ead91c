/** What a fleet found out, as a table and as JSON. */
import { percentileOf, type Tally } from './agent/tally.ts';

export type Findings = {
  readonly agents: number;
  readonly processes: number;
  readonly connected: number;
  readonly welcomes: number;
  readonly enrolSeconds: number;
  readonly connectSeconds: number;
  readonly connectMs: { readonly p50: number | null; readonly p99: number | null };
  readonly actions: {
    readonly asked: number;
    readonly accepted: number;
    readonly done: number;
    readonly seconds: number;
    readonly actionMs: { readonly p50: number | null; readonly p99: number | null };
  } | null;
  /** Of a server of the fleet's own. */
  readonly server: { readonly kbPerAgent: number; readonly processorSeconds: number } | null;
  readonly failures: Readonly<Record<string, number>>;
};

export const spread = (values: readonly number[]) => ({
  p50: percentileOf(values, 0.5),
  p99: percentileOf(values, 0.99),
});

export const failuresOf = (tally: Tally, refused: Readonly<Record<string, number>>) => ({
  ...tally.failures,
  ...Object.fromEntries(Object.entries(refused).map(([status, count]) => [`request: ${status}`, count])),
});

const ms = (value: number | null): string => (value === null ? '–' : `${value.toFixed(0)} ms`);

const rowsOf = (found: Findings): readonly (readonly [string, string])[] => {
  const { actions, server } = found;
  const rows: [string, string][] = [
    ['agents', `${found.agents} in ${found.processes} ${found.processes === 1 ? 'process' : 'processes'}`],
    ['connected', String(found.connected)],
    ['enrolled in', `${found.enrolSeconds.toFixed(1)} s`],
    ['connected in', `${found.connectSeconds.toFixed(1)} s`],
    ['connect p50, p99', `${ms(found.connectMs.p50)}, ${ms(found.connectMs.p99)}`],
  ];
  if (actions !== null)
    rows.push(
      ['actions done', `${actions.done} of ${actions.asked} in ${actions.seconds.toFixed(2)} s`],
      ['action p50, p99', `${ms(actions.actionMs.p50)}, ${ms(actions.actionMs.p99)}`],
    );
  if (server !== null)
    rows.push(
      ['server memory', `${server.kbPerAgent.toFixed(1)} KB an agent`],
      ['server processor', `${server.processorSeconds.toFixed(1)} s`],
    );
  return rows;
};

export const tableOf = (found: Findings): string => {
  const failures = Object.entries(found.failures).toSorted(([, a], [, b]) => b - a);
  const rows = [
    ...rowsOf(found),
    ['failures', failures.length === 0 ? 'none' : ''] as const,
    ...failures.map(([reason, count]) => [`  ${count}`, reason] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(18)}${value}`.trimEnd()).join('\n');
};
