/** What devices do: come, go, take what they were offered, and tell what became of it. */
import fc from 'fast-check';
import {
  accept,
  cancelHeard,
  type Finish,
  finishCommand,
  isOpen,
  overOnDevice,
  type ReferenceAction,
  startCommand,
} from '../reference/action.ts';
import type { Offer, ReferenceSite } from '../reference/site.ts';
import { MACHINES } from '../system.ts';
import { pick, type Step, step } from './step.ts';

const connect = (index: number, journal: 'kept' | 'lost'): Step =>
  step({
    text: `device ${index} connects, its journal ${journal}`,
    when: (site) => !site.machine(index).online,
    run: async (site, system) => {
      site.connect(index, journal);
      await system.connect(index, [...site.machine(index).held]);
    },
  });

const disconnect = (index: number): Step =>
  step({
    text: `device ${index} goes`,
    when: (site) => site.machine(index).online,
    run: async (site, system) => {
      await system.disconnect(index);
      site.disconnect(index);
    },
  });

const offered = (site: ReferenceSite): readonly Offer[] =>
  site.machines.flatMap(({ offers }, machine) => [...offers].map((actionId) => ({ machine, actionId })));

const held = (site: ReferenceSite): readonly Offer[] =>
  site.machines.flatMap((machine, index) =>
    machine.online ? [...machine.held].map((actionId) => ({ machine: index, actionId })) : [],
  );

const takeOffer = (number: number, isTaken: boolean): Step =>
  step({
    text: `a device ${isTaken ? 'accepts' : 'refuses'} what it was offered (${number})`,
    when: (site) => offered(site).length > 0,
    run: async (site, system) => {
      const offer = pick(offered(site), number);
      if (offer === undefined) return;
      const { machine, actionId } = offer;
      const fact = isTaken ? { kind: 'accepted' as const } : { kind: 'refused' as const, reason: 'not now' };
      await system.report(machine, actionId, fact);
      const device = site.machine(machine);
      device.offers.delete(actionId);
      if (isTaken) {
        device.held.add(actionId);
        return accept(site.action(actionId), site.now);
      }
      overOnDevice(site.action(actionId));
      site.sessionEnded(machine);
    },
  });

/** The device's own view: what it has not finished, whatever the server thinks of the action; -1 for nothing. */
const nextIndex = ({ commands }: ReferenceAction): number =>
  commands.some(({ told }) => told === 'Failed') ? -1 : commands.findIndex(({ told }) => told === null);

const working = (site: ReferenceSite): readonly Offer[] =>
  held(site).filter(({ actionId }) => nextIndex(site.action(actionId)) >= 0);

const begin = (number: number): Step =>
  step({
    text: `a device starts its next command (${number})`,
    when: (site) => working(site).length > 0,
    run: async (site, system) => {
      const work = pick(working(site), number);
      if (work === undefined) return;
      const action = site.action(work.actionId);
      const index = nextIndex(action);
      await system.report(work.machine, work.actionId, { kind: 'command-started', index });
      startCommand(action, index);
    },
  });

type End = { readonly isGood: boolean; readonly exitCode: number; readonly isTwice: boolean };

const finishOf = (action: ReferenceAction, { isGood, exitCode }: End): Finish => {
  const index = nextIndex(action);
  const { kind } = action.commands[index] ?? { kind: 'PutFile' };
  const hasOutput = kind !== 'PutFile' && (isGood || (kind === 'RunScript' && exitCode > 1));
  return {
    index,
    outcome: isGood ? 'Completed' : 'Failed',
    exitCode: kind === 'RunScript' ? exitCode : null,
    output: hasOutput ? `output of ${action.id} ${index}` : null,
  };
};

const finish = (number: number, end: End): Step =>
  step({
    text: `a device ${end.isGood ? 'finishes' : 'fails at'} its command${end.isTwice ? ', and says so twice' : ''} (${number})`,
    when: (site) => working(site).length > 0,
    run: async (site, system) => {
      const work = pick(working(site), number);
      if (work === undefined) return;
      const action = site.action(work.actionId);
      const ended = finishOf(action, end);
      const { kind = 'PutFile' } = action.commands[ended.index] ?? {};
      await system.finish(work, { ...ended, kind, times: end.isTwice ? 2 : 1 });
      finishCommand(action, ended);
      site.sessionEnded(work.machine);
    },
  });

const hear = (number: number): Step =>
  step({
    text: `a device hears of a cancel (${number})`,
    when: (site) => held(site).some(({ actionId }) => !isOpen(site.action(actionId))),
    run: async (site, system) => {
      const over = pick(
        held(site).filter(({ actionId }) => !isOpen(site.action(actionId))),
        number,
      );
      if (over === undefined) return;
      await system.report(over.machine, over.actionId, { kind: 'cancel-heard' });
      cancelHeard(site.action(over.actionId));
    },
  });

const end = (number: number, how: 'done' | 'cancelled' | 'interrupted'): Step =>
  step({
    text: `a device is through with an action: ${how} (${number})`,
    when: (site) => held(site).length > 0,
    run: async (site, system) => {
      const over = pick(held(site), number);
      if (over === undefined) return;
      await system.report(over.machine, over.actionId, { kind: 'action-ended', how });
      site.machine(over.machine).held.delete(over.actionId);
      overOnDevice(site.action(over.actionId));
      site.sessionEnded(over.machine);
    },
  });

const unknown = (number: number): Step =>
  step({
    text: `a device says that it does not know what it was offered (${number})`,
    when: (site) => offered(site).some(({ actionId }) => !isOpen(site.action(actionId))),
    run: async (site, system) => {
      const stale = pick(
        offered(site).filter(({ actionId }) => !isOpen(site.action(actionId))),
        number,
      );
      if (stale === undefined) return;
      await system.report(stale.machine, stale.actionId, { kind: 'action-ended', how: 'unknown' });
      site.machine(stale.machine).offers.delete(stale.actionId);
      overOnDevice(site.action(stale.actionId));
      site.sessionEnded(stale.machine);
    },
  });

const machine = fc.nat({ max: MACHINES - 1 });
const number = fc.nat({ max: 40 });
const ending = fc.record({
  isGood: fc.integer({ min: 1, max: 4 }).map((die) => die > 1),
  exitCode: fc.constantFrom(0, 1, 137),
  isTwice: fc.boolean(),
});
const finishing = fc.tuple(number, ending).map(([at, how]) => finish(at, how));
const taking = fc.tuple(number, fc.integer({ min: 1, max: 6 })).map(([at, die]) => takeOffer(at, die > 1));
const coming = fc
  .tuple(machine, fc.constantFrom('kept', 'kept', 'kept', 'lost') as fc.Arbitrary<'kept' | 'lost'>)
  .map(([index, journal]) => connect(index, journal));

export const deviceSteps: readonly fc.Arbitrary<Step>[] = [
  coming,
  coming,
  machine.map(disconnect),
  coming,
  taking,
  taking,
  taking,
  taking,
  number.map(begin),
  ...Array.from({ length: 7 }, () => finishing),
  number.map(hear),
  fc
    .tuple(
      number,
      fc.constantFrom('done', 'done', 'cancelled', 'interrupted') as fc.Arbitrary<'done' | 'cancelled' | 'interrupted'>,
    )
    .map(([at, how]) => end(at, how)),
  number.map(unknown),
];
