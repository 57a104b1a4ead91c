import { describe, expect, test } from 'bun:test';
import { type ActionStatus, type CommandStatus, isFinal } from '@longarm/contract/action';
import { ActionId } from '@longarm/contract/ids';
import { InstantText } from '@longarm/contract/instant';
import fc from 'fast-check';
import { type ActionState, advance, type Cancellation, type CommandState, type LifecycleEvent } from './lifecycle.ts';

const NOW = Date.UTC(2026, 1, 4, 12);
const AT = NOW - 1_000;
const actionId = ActionId.parse('00000000-0000-4000-8000-000000000001');

const command = (index: number, status: CommandStatus): CommandState => ({
  index,
  status,
  startedAt: status === 'Created' ? null : AT - 10,
  endedAt: status === 'Completed' || status === 'Failed' ? AT : null,
  errors: [],
  exitCode: null,
});
const state = (
  status: ActionStatus,
  commands: readonly CommandStatus[],
  changes: Partial<ActionState> = {},
): ActionState => ({
  status,
  reason: null,
  offered: true,
  holdsSlot: !isFinal(status),
  acceptedAt: status === 'Pending' ? null : AT,
  cancellation: null,
  approval: null,
  commands: commands.map((each, index) => command(index, each)),
  ...changes,
});
const cancellation = (reached: Cancellation['state']): Cancellation => ({
  state: reached,
  requestor: 'ana',
  comment: 'c',
  requestedAt: AT,
  acknowledgedAt: reached === 'Requested' ? null : AT,
  effectiveAt: reached === 'Effective' ? AT : null,
});

const started = (index: number, at = AT): LifecycleEvent => ({ kind: 'command-started', actionId, index, at });
const finished = (index: number, outcome: 'Completed' | 'Failed', at = AT): LifecycleEvent => ({
  kind: 'command-finished',
  actionId,
  index,
  at,
  outcome,
  errors: outcome === 'Failed' ? ['no such file'] : [],
  exitCode: 0,
  results: [],
});
const EVENTS = {
  accepted: { kind: 'accepted', actionId, at: AT },
  refused: { kind: 'refused', actionId, at: AT, reason: 'unsigned' },
  started: started(0),
  completed: finished(0, 'Completed'),
  failed: finished(0, 'Failed'),
  'cancel-heard': { kind: 'cancel-heard', actionId, at: AT },
  ended: { kind: 'action-ended', actionId, at: AT, how: 'interrupted' },
  cancel: { kind: 'cancel', requestor: 'ana', comment: 'wrong host' },
  'queue-expired': { kind: 'queue-expired' },
  'run-expired': { kind: 'run-expired' },
  lost: { kind: 'lost' },
  revoked: { kind: 'revoked', reason: 'stolen' },
} as const satisfies Record<string, LifecycleEvent>;
type EventName = keyof typeof EVENTS;
const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[];

/** `action: commands` after the event, or null where it changes nothing. */
const outcome = (before: ActionState, event: LifecycleEvent): string | null => {
  const after = advance(before, event, NOW);
  return after === null ? null : `${after.status}: ${after.commands.map(({ status }) => status).join(' ')}`;
};

const STATES = {
  waiting: state('Pending', ['Created', 'Created']),
  accepted: state('InProgress', ['Created', 'Created']),
  running: state('InProgress', ['Executing', 'Created']),
  last: state('InProgress', ['Executing']),
  between: state('InProgress', ['Completed', 'Created']),
} as const;

const LOST = 'Failed: Failed Created';
const TABLE: Readonly<Record<keyof typeof STATES, Readonly<Record<EventName, string | null>>>> = {
  waiting: {
    accepted: 'InProgress: Created Created',
    refused: LOST,
    started: 'InProgress: Executing Created',
    completed: 'InProgress: Completed Created',
    failed: LOST,
    'cancel-heard': null,
    ended: LOST,
    cancel: 'Cancelled: Failed Created',
    'queue-expired': 'TimeOut: Failed Created',
    'run-expired': 'TimeOut: Failed Created',
    lost: LOST,
    revoked: LOST,
  },
  accepted: {
    accepted: null,
    refused: LOST,
    started: 'InProgress: Executing Created',
    completed: 'InProgress: Completed Created',
    failed: LOST,
    'cancel-heard': null,
    ended: LOST,
    cancel: 'Cancelled: Failed Created',
    'queue-expired': 'TimeOut: Failed Created',
    'run-expired': 'TimeOut: Failed Created',
    lost: LOST,
    revoked: LOST,
  },
  running: {
    accepted: null,
    refused: LOST,
    started: null,
    completed: 'InProgress: Completed Created',
    failed: LOST,
    'cancel-heard': null,
    ended: LOST,
    cancel: 'Cancelled: Failed Created',
    'queue-expired': 'TimeOut: Failed Created',
    'run-expired': 'TimeOut: Failed Created',
    lost: LOST,
    revoked: LOST,
  },
  last: {
    accepted: null,
    refused: 'Failed: Failed',
    started: null,
    completed: 'Succeeded: Completed',
    failed: 'Failed: Failed',
    'cancel-heard': null,
    ended: 'Failed: Failed',
    cancel: 'Cancelled: Failed',
    'queue-expired': 'TimeOut: Failed',
    'run-expired': 'TimeOut: Failed',
    lost: 'Failed: Failed',
    revoked: 'Failed: Failed',
  },
  between: {
    accepted: null,
    refused: 'Failed: Completed Failed',
    started: null,
    completed: null,
    failed: null,
    'cancel-heard': null,
    ended: 'Failed: Completed Failed',
    cancel: 'Cancelled: Completed Failed',
    'queue-expired': 'TimeOut: Completed Failed',
    'run-expired': 'TimeOut: Completed Failed',
    lost: 'Failed: Completed Failed',
    revoked: 'Failed: Completed Failed',
  },
};

describe('an action that has not ended', () => {
  for (const [name, before] of Object.entries(STATES)) {
    for (const event of EVENT_NAMES) {
      const expected = TABLE[name as keyof typeof STATES][event];
      test(`${name}, ${event} → ${expected ?? 'nothing'}`, () => expect(outcome(before, EVENTS[event])).toBe(expected));
    }
  }

  test('gives up its slot when it ends, but for a cancel of what a device may have', () => {
    for (const before of Object.values(STATES)) {
      for (const event of EVENT_NAMES) {
        const after = advance(before, EVENTS[event], NOW);
        if (after !== null)
          expect([event, after.holdsSlot]).toEqual([event, event === 'cancel' || !isFinal(after.status)]);
      }
    }
  });

  test('says why it ended, and its first unfinished command says the same', () => {
    const reasonOf = (event: EventName, before: ActionState = STATES.running) => advance(before, EVENTS[event], NOW);
    expect(reasonOf('cancel')?.reason).toBe('cancelled while it was running');
    expect(reasonOf('cancel', STATES.waiting)?.reason).toBe('cancelled before it started');
    expect(reasonOf('refused')?.reason).toContain('unsigned');
    expect(reasonOf('failed')?.reason).toBe('command 0 failed: no such file');
    expect(reasonOf('ended')?.reason).toContain('interrupted');
    expect(reasonOf('lost')?.reason).toContain('lost by the device');
    expect(reasonOf('revoked')?.reason).toBe('its device was revoked: stolen');
    expect(reasonOf('queue-expired')?.reason).toContain('timed out');
    for (const event of ['cancel', 'refused', 'ended', 'lost', 'revoked', 'run-expired'] as const) {
      const after = reasonOf(event);
      expect(after?.commands[0]).toMatchObject({ errors: [after?.reason ?? `no end by ${event}`], endedAt: NOW });
    }
    expect(advance(STATES.last, EVENTS.completed, NOW)?.reason).toBeNull();
  });

  test('is accepted by whatever a device tells of a command: from then on it has a time by which it ends', () => {
    for (const event of [started(0), finished(0, 'Completed')]) {
      const after = advance({ ...STATES.waiting, holdsSlot: false }, event, NOW);
      expect([after?.status, after?.acceptedAt, after?.holdsSlot]).toEqual(['InProgress', NOW, true]);
    }
    expect(advance(STATES.accepted, started(0), NOW)?.acceptedAt).toBe(AT);
    expect(advance(STATES.waiting, started(9), NOW)).toBeNull();
  });

  test('is accepted once, and what a device says of it is kept with its times', () => {
    expect(advance(STATES.waiting, EVENTS.accepted, NOW)?.acceptedAt).toBe(NOW);
    const done = advance(STATES.waiting, finished(0, 'Completed'), NOW)?.commands[0];
    expect([done?.startedAt, done?.endedAt, done?.exitCode]).toEqual([AT, AT, 0]);
    expect(advance(STATES.accepted, started(0), NOW)?.commands[0]?.startedAt).toBe(AT);
    expect(advance(STATES.running, EVENTS.completed, NOW)?.commands[0]?.startedAt).toBe(AT - 10);
  });

  test('knows no command that it has not', () => {
    for (const index of [2, 10_000]) {
      expect(outcome(STATES.accepted, started(index))).toBeNull();
      expect(outcome(STATES.accepted, finished(index, 'Failed'))).toBeNull();
    }
  });
});

describe('cancelling', () => {
  const asked = (offered: boolean) => advance({ ...STATES.waiting, offered }, EVENTS.cancel, NOW);

  test('is effective at once when no device can have the action, and else only asked for', () => {
    expect(asked(false)).toMatchObject({
      holdsSlot: false,
      cancellation: { state: 'Effective', requestor: 'ana', comment: 'wrong host', requestedAt: NOW, effectiveAt: NOW },
    });
    expect(asked(true)).toMatchObject({
      holdsSlot: true,
      cancellation: { state: 'Requested', acknowledgedAt: null, effectiveAt: null },
    });
  });

  test('goes on from asked for to heard to effective, never back, and frees the slot at its end', () => {
    const steps = {
      'cancel-heard': 'Acknowledged',
      ended: 'Effective',
      refused: 'Effective',
      lost: 'Effective',
      revoked: 'Effective',
    } as const;
    for (const from of ['Requested', 'Acknowledged', 'Effective'] as const) {
      const before = state('Cancelled', ['Failed'], {
        cancellation: cancellation(from),
        holdsSlot: from !== 'Effective',
      });
      for (const event of EVENT_NAMES) {
        const to = event in steps ? steps[event as keyof typeof steps] : null;
        const changes = to !== null && from !== 'Effective' && from !== to;
        const after = advance(before, EVENTS[event], NOW);
        expect([from, event, after?.cancellation?.state ?? null]).toEqual([from, event, changes ? to : null]);
        if (after === null) continue;
        expect(after.holdsSlot).toBe(to !== 'Effective');
        expect(after.cancellation?.acknowledgedAt).toBe(from === 'Requested' ? NOW : AT);
        expect(after.cancellation?.effectiveAt).toBe(to === 'Effective' ? NOW : null);
        expect([after.status, after.commands]).toEqual([before.status, before.commands]);
      }
    }
  });
});

describe('what a device calls a moment', () => {
  // a moment that no calendar has would make every list that shows it fail
  for (const at of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, NOW + 86_400_000, Date.UTC(1969, 0, 1)]) {
    test(`${at} becomes one that can be shown, and is not later than now`, () => {
      const after = advance(STATES.accepted, started(0, at), NOW);
      const done = advance(STATES.running, finished(0, 'Completed', at), NOW);
      for (const moment of [after?.commands[0]?.startedAt, done?.commands[0]?.endedAt]) {
        expect(moment).toBeLessThanOrEqual(NOW);
        expect(InstantText.safeParse(new Date(moment ?? Number.NaN).toISOString().replace('Z', '0000Z')).success).toBe(
          true,
        );
      }
    });
  }
});

const index = fc.integer({ min: 0, max: 4 });
const anyEvent: fc.Arbitrary<LifecycleEvent> = fc.oneof(
  fc.constantFrom(...EVENT_NAMES.map((name): LifecycleEvent => EVENTS[name])),
  index.map((place) => started(place)),
  fc.tuple(index, fc.constantFrom('Completed' as const, 'Failed' as const)).map(([place, how]) => finished(place, how)),
);
const life = (events: readonly LifecycleEvent[], commands: number, offered: boolean): readonly ActionState[] => {
  const states = [state('Pending', Array<CommandStatus>(commands).fill('Created'), { offered })];
  for (const event of events) {
    const current = states.at(-1);
    const next = current === undefined ? null : advance(current, event, NOW);
    if (next !== null) states.push(next);
  }
  return states;
};
const lives = fc
  .tuple(fc.array(anyEvent, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), fc.boolean())
  .map(([events, commands, offered]) => life(events, commands, offered));
const pairs = (states: readonly ActionState[]) =>
  states.slice(1).map((after, place) => [states[place] ?? after, after] as const);

describe('in every order of events', () => {
  test('a final state is never left', () => {
    fc.assert(
      fc.property(lives, (states) => {
        for (const [before, after] of pairs(states))
          if (isFinal(before.status)) expect(after.status).toBe(before.status);
      }),
    );
  });

  test('a finished command never changes again', () => {
    fc.assert(
      fc.property(lives, (states) => {
        for (const [before, after] of pairs(states))
          for (const [place, known] of before.commands.entries())
            if (known.status === 'Completed' || known.status === 'Failed') expect(after.commands[place]).toEqual(known);
      }),
    );
  });

  test('success is all commands completed; every other end has one failed command and a reason', () => {
    fc.assert(
      fc.property(lives, (states) => {
        for (const { status, commands, reason } of states) {
          const failed = commands.filter((each) => each.status === 'Failed').length;
          if (status === 'Succeeded') expect(commands.every((each) => each.status === 'Completed')).toBe(true);
          if (isFinal(status) && status !== 'Succeeded') expect([failed, reason === null]).toEqual([1, false]);
          if (!isFinal(status)) expect(failed).toBe(0);
        }
      }),
    );
  });

  test('an unfinished action keeps its slot; what is over for the device has none', () => {
    fc.assert(
      fc.property(lives, (states) => {
        for (const { status, holdsSlot, cancellation: cancelled } of states) {
          if (!isFinal(status)) expect(holdsSlot).toBe(true);
          if (isFinal(status) && (cancelled === null || cancelled.state === 'Effective')) expect(holdsSlot).toBe(false);
        }
      }),
    );
  });
});

describe('a second person', () => {
  const YES: LifecycleEvent = { kind: 'approve', approver: 'lea', reason: 'read it' };
  const NO: LifecycleEvent = { kind: 'deny', approver: 'lea', reason: 'wrong host' };
  const waiting = state('Pending', ['Created', 'Created'], {
    offered: false,
    holdsSlot: false,
    approval: { state: 'Required', approver: null, reason: null, decidedAt: null },
  });

  test('until one has agreed, no word of a device changes anything', () => {
    for (const name of [
      'accepted',
      'refused',
      'started',
      'completed',
      'failed',
      'ended',
      'lost',
      'run-expired',
    ] as const)
      expect([name, advance(waiting, EVENTS[name], NOW)]).toEqual([name, null]);
  });
  test('a yes is kept, and leaves it where it was', () => {
    const approval = { state: 'Approved', approver: 'lea', reason: 'read it', decidedAt: NOW } as const;
    const after = advance(waiting, YES, NOW);
    expect(after).toEqual({ ...waiting, approval });
    if (after === null) return;
    expect(outcome(after, EVENTS.accepted)).toBe('InProgress: Created Created');
    for (const decision of [YES, NO]) expect(advance(after, decision, NOW)).toBeNull();
  });
  test('a no ends it: cancelled in effect, with the reason in its first command', () => {
    const after = advance(waiting, NO, NOW);
    const reason = 'denied by lea before it started: wrong host';
    expect(after).toMatchObject({ status: 'Cancelled', reason, holdsSlot: false, approval: { state: 'Denied' } });
    expect(after?.cancellation).toMatchObject({ state: 'Effective', requestor: 'lea', comment: 'wrong host' });
    expect(after?.commands.map(({ status, errors }) => [status, errors])).toEqual([
      ['Failed', [reason]],
      ['Created', []],
    ]);
  });
  test('a time-out says that nobody agreed, and a cancel needs no second person', () => {
    expect(advance(waiting, EVENTS['queue-expired'], NOW)?.reason).toContain('nobody approved it');
    expect(outcome(waiting, EVENTS.cancel)).toBe('Cancelled: Failed Created');
  });
  test('where none is needed, nobody decides', () => {
    for (const status of ['Pending', 'InProgress', 'Succeeded', 'Cancelled'] as const)
      for (const decision of [YES, NO])
        expect([status, advance(state(status, ['Created']), decision, NOW)]).toEqual([status, null]);
  });
});
