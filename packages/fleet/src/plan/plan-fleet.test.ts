import { expect, test } from 'bun:test';
import type { MachineLimits } from './machine-limits.ts';
import { FILES_BESIDES, type FleetWish, planFleet } from './plan-fleet.ts';

const GIB = 2 ** 30;
const MACHINE: MachineLimits = { openFiles: 20_000, ports: 28_232, freeMemoryBytes: 20 * GIB, cores: 2 };
const PER_PROCESS = MACHINE.openFiles - FILES_BESIDES;
const WISH: FleetWish = {
  agents: 1_000,
  processes: null,
  ratePerSecond: 1_000,
  isTls: false,
  isOwnServer: false,
  gateways: 0,
  addresses: 1,
};
const plan = (wish: Partial<FleetWish>, machine: Partial<MachineLimits> = {}) =>
  planFleet({ ...WISH, ...wish }, { ...MACHINE, ...machine });
const faultOf = (...given: Parameters<typeof plan>): string => {
  const planned = plan(...given);
  return planned.ok ? 'none' : planned.fault;
};

test('one process holds what its files allow, and one agent more takes another', () => {
  expect(plan({ agents: PER_PROCESS })).toMatchObject({ ok: true, plan: { processes: 1, perProcess: [PER_PROCESS] } });
  expect(plan({ agents: PER_PROCESS + 1 })).toMatchObject({
    ok: true,
    plan: { processes: 2, perProcess: [9_701, 9_700] },
  });
});

test('more than the ports of one address are spread over several, where the server has them', () => {
  expect(plan({ agents: 28_233, addresses: 2 })).toMatchObject({ ok: true, plan: { addresses: 2 } });
  expect(faultOf({ agents: 28_233 })).toContain('net.ipv4.ip_local_port_range');
  expect(plan({ agents: 28_232 })).toMatchObject({ ok: true, plan: { addresses: 1 } });
  expect(plan({ agents: 50_000, addresses: 32 })).toMatchObject({ ok: true, plan: { processes: 3, addresses: 32 } });
});

test('a server of its own holds as many as its gateways together', () => {
  const own = { isOwnServer: true, addresses: 3, agents: 3 * PER_PROCESS };
  expect(plan({ ...own, gateways: 3 })).toMatchObject({ ok: true, plan: { processes: 3, addresses: 3 } });
  expect(faultOf({ ...own, gateways: 2 })).toMatch(
    /58,200 connections in 2 gateways: .* 38,800 agents, .*--gateways 3/,
  );
  expect(faultOf({ ...own, agents: PER_PROCESS + 1, gateways: 1 })).toContain('--gateways 2');
});

test('what stands in the way has its name, its number and what to change', () => {
  expect(faultOf({ agents: PER_PROCESS + 1, isOwnServer: true })).toMatch(/20,000 files .* 19,400 .* raise ulimit -n/);
  expect(faultOf({ agents: PER_PROCESS, isOwnServer: true })).toBe('none');
  expect(faultOf({ agents: 30_000, processes: 1, addresses: 2 })).toContain('at least 2');
  expect(faultOf({ agents: 1_000_000 })).toMatch(/1,000,000 agents need about 23,437 MiB of memory, and 20,480 MiB/);
  expect(faultOf({ agents: 19_000 }, { freeMemoryBytes: GIB / 4 })).toContain('memory');
  expect(faultOf({ ratePerSecond: 8_001 })).toContain('about 8,000 connections a second');
  expect(faultOf({ ratePerSecond: 8_000 })).toBe('none');
});
