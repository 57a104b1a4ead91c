import { describe, expect, test } from 'bun:test';
import { MachineId } from '@longarm/contract/ids';
import { DEVICE_BURST_SECONDS, FRAMES_PER_CONNECT, type Limits, PROFILES } from '@longarm/contract/limits';
import { deviceBudgets, inherit, type Spent } from './device-budget.ts';

const nothingSpent = (): Spent => ({ framesUntil: 0, bytesUntil: 0, dayUntil: 0 });

const MACHINE = MachineId.parse('a'.repeat(40));
const MIB = 1_048_576;

const world = (limits: Partial<Limits> = {}) => {
  let now = 1_000_000;
  const budgets = deviceBudgets({ limits: { ...PROFILES['2021-06'].limits, ...limits }, now: () => now });
  return {
    budgets,
    pass: (seconds: number) => {
      now += seconds * 1_000;
    },
  };
};

describe('at a limit, and one past it', () => {
  test('frames a second, ten seconds’ worth at once', () => {
    const { budgets, pass } = world({ 'frames-per-second': 5 });
    const spent = nothingSpent();
    for (let frame = 0; frame < 5 * DEVICE_BURST_SECONDS; frame++) expect(budgets.spend(spent, 1)).toBeNull();
    expect(budgets.spend(spent, 1)).toEqual({
      limit: 'frames-per-second',
      sentence: 'expected at most 5 frames a second of one device, got more; come again in 10 s',
      retryAfterSeconds: 10,
    });
    pass(1);
    for (let frame = 0; frame < 5; frame++) expect(budgets.spend(spent, 1)).toBeNull();
    expect(budgets.spend(spent, 1)?.limit).toBe('frames-per-second');
  });

  test('bytes a second', () => {
    const { budgets, pass } = world({ 'control-kib-per-second': 1 });
    const spent = nothingSpent();
    expect(budgets.spend(spent, 1_024 * DEVICE_BURST_SECONDS)).toBeNull();
    expect(budgets.spend(spent, 1)?.limit).toBe('control-kib-per-second');
    pass(1);
    expect(budgets.spend(spent, 1_024)).toBeNull();
    expect(budgets.spend(spent, 1)?.limit).toBe('control-kib-per-second');
  });

  test('bytes a day: who is over comes back after an hour', () => {
    const { budgets, pass } = world({ 'control-mib-per-day': 24, 'control-kib-per-second': 1_000_000 });
    const spent = nothingSpent();
    for (let mib = 0; mib < 24; mib++) expect(budgets.spend(spent, MIB)).toBeNull();
    expect(budgets.spend(spent, 1)).toMatchObject({ limit: 'control-mib-per-day', retryAfterSeconds: 3_600 });
    pass(3_600);
    expect(budgets.spend(spent, MIB)).toBeNull();
    expect(budgets.spend(spent, MIB)?.limit).toBe('control-mib-per-day');
  });
});

test('an honest device stays far below: heartbeats for a day, and a backlog of a thousand actions', () => {
  const { budgets, pass } = world();
  const spent = nothingSpent();
  expect(budgets.enter(MACHINE, spent)).toBeNull();
  for (let fact = 0; fact < 4_000; fact++) expect(budgets.spend(spent, 400)).toBeNull();
  for (let beat = 0; beat < 2_880; beat++) {
    pass(30);
    expect(budgets.spend(spent, 20)).toBeNull();
  }
});

test('what was asked for is given back, and so is what was refused', () => {
  const { budgets } = world({ 'frames-per-second': 1, 'control-kib-per-second': 1 });
  const spent = nothingSpent();
  for (let frame = 0; frame < 1_000; frame++) {
    expect(budgets.spend(spent, 10_000)).toBeNull();
    budgets.giveBack(spent, 10_000);
  }
  expect(budgets.spend(spent, 10_240)).toBeNull();
  for (let again = 0; again < 3; again++) expect(budgets.spend(spent, 10_240)).not.toBeNull();
});

test('connecting anew forgives nothing, and costs', () => {
  const { budgets, pass } = world({ 'frames-per-second': FRAMES_PER_CONNECT });
  const spent = nothingSpent();
  for (let connects = 0; connects < DEVICE_BURST_SECONDS; connects++) {
    const session = nothingSpent();
    expect(budgets.enter(MACHINE, session)).toBeNull();
    budgets.leave(MACHINE, session);
  }
  expect(budgets.enter(MACHINE, spent)?.limit).toBe('frames-per-second');
  budgets.leave(MACHINE, spent);
  budgets.forget();
  expect(budgets.enter(MACHINE, nothingSpent())).not.toBeNull();
  expect(budgets.enter(MachineId.parse('b'.repeat(40)), nothingSpent())).toBeNull();
  budgets.leave(MACHINE, spent);
  pass(DEVICE_BURST_SECONDS);
  budgets.forget();
  expect(budgets.enter(MACHINE, nothingSpent())).toBeNull();
});

test('nor does a second connection beside the first', () => {
  const { budgets } = world({ 'frames-per-second': 10 });
  const [older, later] = [nothingSpent(), nothingSpent()];
  for (let frame = 0; frame < 100; frame++) budgets.spend(older, 1);
  inherit(later, older);
  expect(budgets.spend(later, 1)?.limit).toBe('frames-per-second');
});
