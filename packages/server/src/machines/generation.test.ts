import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Generations, judgeCopy, keep, NO_GENERATIONS, present, type Verdict } from './generation.ts';

/** A server's view, and devices that connect to it: each with what is on its disk. */
const world = () => {
  let state: Generations = NO_GENERATIONS;
  let handedOut = 0;
  const verdicts: Verdict[] = [];
  const connect = (disk: { token: string | null }, luck: 'kept' | 'kept, not told' | 'lost' = 'kept') => {
    const token = `t${++handedOut}`;
    const { generations, verdict } = present(state, disk.token, token);
    state = generations;
    verdicts.push(verdict);
    if (luck !== 'lost') disk.token = token;
    if (luck === 'kept') state = keep(state, token);
    return verdict;
  };
  return { connect, verdicts, tell: (token: string) => (state = keep(state, token)), state: () => state };
};

const LUCKS = ['kept', 'kept, not told', 'lost'] as const;

test('a lone device is never taken for two, whatever a crash or a lost frame leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...LUCKS), { maxLength: 60 }), (lucks) => {
      const { connect, verdicts } = world();
      const disk = { token: null };
      for (const luck of lucks) connect(disk, luck);
      expect(new Set(verdicts)).not.toContain('copied');
      expect(new Set(verdicts)).not.toContain('went-back');
    }),
  );
});

test('nor is one that was restored from backups, each older than the one before', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...LUCKS, 'restored'), { maxLength: 60 }), (steps) => {
      const { connect, verdicts } = world();
      const disk: { token: string | null } = { token: null };
      for (let times = 0; times < 3; times++) connect(disk);
      const backup = disk.token;
      for (const step of steps) {
        if (step === 'restored') disk.token = backup;
        else connect(disk, step);
      }
      expect(new Set(verdicts)).not.toContain('copied');
    }),
  );
});

test('two that live on one state are noticed, whoever comes first and however often', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 30 }), (turns) => {
      const { connect, verdicts } = world();
      const one: { token: string | null } = { token: null };
      connect(one);
      connect(one);
      const other = { ...one };
      for (const isOne of turns) connect(isOne ? one : other);
      const changes = turns.filter((turn, place) => place > 0 && turn !== turns[place - 1]).length;
      expect(verdicts.includes('copied')).toBe(changes >= 2);
    }),
  );
});

test('a frame of a connection that was given up, and arrives late, makes no second device', () => {
  const { connect, state } = world();
  const disk: { token: string | null } = { token: null };
  connect(disk);
  const late = { ...disk };
  connect(disk);
  // the proof of an older socket, handled after: its welcome is never heard
  expect(connect(late, 'lost')).toBe('went-back');
  expect(connect(disk)).toBe('usual');
  expect(state().displaced).toEqual([]);
});

test('what is remembered is bounded', () => {
  const { connect, state } = world();
  const disk: { token: string | null } = { token: null };
  connect(disk);
  for (let times = 0; times < 50; times++) connect({ token: 'another' });
  expect(state().displaced.length).toBe(8);
});

test('whose hardware enrolled is the device; where nobody can say, neither is believed', () => {
  const judge = (own: string | null, other: string | null) => judgeCopy({ enrolled: 'e', own, other });
  expect([judge('e', 'x'), judge('x', 'e'), judge('x', 'y')]).toEqual(['refuse-other', 'refuse-this', 'quarantine']);
  expect([judge('e', 'e'), judge(null, 'e'), judge('e', null)]).toEqual(['quarantine', 'quarantine', 'quarantine']);
});
