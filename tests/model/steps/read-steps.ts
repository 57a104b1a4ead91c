/** What is read: actions, lists with filters, results, machines and their tags. */

import type { Json } from '@longarm/testkit/api-caller';
import fc from 'fast-check';
import { agree, agreeOnAction, outcomeOf } from '../agree.ts';
import type { ReferenceAction } from '../reference/action.ts';
import { CALLER_NAMES, CALLERS, type CallerName, dnsName, MACHINES, type System } from '../system.ts';
import { answerTo, isServed, type Step, step } from './step.ts';

const READ = ['Machine.Read.All', 'Machine.ReadWrite.All'] as const;
const LINK = ['Machine.LiveResponse', ...READ] as const;
const caller = fc.constantFrom<CallerName>('analyst', 'reader', ...CALLER_NAMES);
const machine = fc.nat({ max: MACHINES - 1 });
const number = fc.nat({ max: 40 });

const get = (by: CallerName, place: number): Step =>
  step({
    text: `${by} reads action ${place}`,
    run: async (site, system) => {
      const action = site.actions[place % (site.actions.length + 1)];
      const answer = await system.callers[by].call(`/api/machineactions/${action?.id ?? crypto.randomUUID()}`);
      const outcome = action === undefined ? '404 ResourceNotFound' : '200';
      if (isServed('read', outcomeOf(answer), answerTo(by, READ, outcome))) agreeOnAction(site, system, answer.json);
    },
  });

type Filter = { readonly text: string; readonly keeps: (action: ReferenceAction) => boolean };

const STATUSES = ['Pending', 'InProgress', 'Succeeded', 'Failed', 'TimeOut', 'Cancelled'] as const;

const simple: fc.Arbitrary<(system: System) => Filter> = fc.oneof(
  fc.constantFrom(...STATUSES).map((status) => () => ({
    text: `status eq '${status}'`,
    keeps: (action: ReferenceAction) => action.status === status,
  })),
  fc.constantFrom(...Object.keys(CALLERS)).map((name) => () => ({
    text: `requestor ne '${name}'`,
    keeps: (action: ReferenceAction) => action.requestor !== name,
  })),
  machine.map((index) => ({ machineId }: System) => ({
    text: `machineId eq '${machineId(index)}'`,
    keeps: (action: ReferenceAction) => action.machine === index,
  })),
  machine.map((index) => () => ({
    text: `startswith(computerDnsName, '${dnsName(index).slice(0, 9)}')`,
    keeps: (action: ReferenceAction) => action.machine === index,
  })),
);

const filter = fc
  .tuple(simple, simple, fc.constantFrom('and', 'or', 'not'))
  .map(([left, right, joined]) => (system: System): Filter => {
    const [a, b] = [left(system), right(system)];
    if (joined === 'not') return { text: `not (${a.text})`, keeps: (action) => !a.keeps(action) };
    const both = joined === 'and';
    return {
      text: `${a.text} ${joined} ${b.text}`,
      keeps: (action) => (both ? a.keeps(action) && b.keeps(action) : a.keeps(action) || b.keeps(action)),
    };
  });

type Page = { readonly top: number; readonly skip: number };

const list = (by: CallerName, filterOf: (system: System) => Filter, { top, skip }: Page): Step =>
  step({
    text: `${by} lists ${top} actions after ${skip} by a filter`,
    run: async (site, system) => {
      const { text, keeps } = filterOf(system);
      const query = new URLSearchParams({ $filter: text, $top: `${top}`, $skip: `${skip}`, $count: 'true' });
      const answer = await system.callers[by].call(`/api/machineactions?${query}`);
      if (!isServed('list', outcomeOf(answer), answerTo(by, READ, '200'))) return;
      const kept = site.actions.filter(keeps).reverse();
      const ids = answer.json.value.map(({ id }: Json) => id);
      agree(
        `actions where ${text}`,
        ids,
        kept.slice(skip, skip + top).map(({ id }) => id),
      );
      agree(`how many actions where ${text}`, answer.json['@odata.count'], kept.length);
    },
  });

/** What the link's bytes have to hold. */
const resultOutcome = (action: ReferenceAction | undefined, index: number): string => {
  const command = action?.commands[index];
  if (command === undefined || command.kind === 'PutFile') return '404 ResourceNotFound';
  return command.output === null ? '400 BadRequest' : '200';
};

const agreeOnResult = async (url: string, command: ReferenceAction['commands'][number]): Promise<void> => {
  const response = await fetch(url);
  agree('download of a result', response.status, 200);
  if (command.kind === 'RunScript')
    return agree('a script’s output', JSON.parse(await response.text()).script_output, command.output);
  agree(
    'a collected file',
    new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(await response.arrayBuffer()))),
    command.output,
  );
};

const link = (by: CallerName, place: number, index: number): Step =>
  step({
    text: `${by} takes result ${index} of action ${place}`,
    run: async (site, { callers }) => {
      const action = site.actions[place % (site.actions.length + 1)];
      const id = action?.id ?? crypto.randomUUID();
      const answer = await callers[by].call(
        `/api/machineactions/${id}/GetLiveResponseResultDownloadLink(index=${index})`,
      );
      const outcome = answerTo(by, LINK, resultOutcome(action, index));
      if (!isServed('result link', outcomeOf(answer), outcome)) return;
      const command = action?.commands[index];
      if (command !== undefined) await agreeOnResult(answer.json.value, command);
    },
  });

type TagChange = { readonly by: CallerName; readonly machine: number; readonly tag: string; readonly isAdded: boolean };

const tag = ({ by, machine: index, tag: value, isAdded }: TagChange): Step =>
  step({
    text: `${by} ${isAdded ? 'adds' : 'removes'} the tag ${value} of machine ${index}`,
    run: async (site, { callers, machineId }) => {
      const body = { Value: value, Action: isAdded ? 'Add' : 'Remove' };
      const answer = await callers[by].post(`/api/machines/${machineId(index)}/tags`, body);
      const { tags, online } = site.machine(index);
      if (!isServed('tag', outcomeOf(answer), answerTo(by, ['Machine.ReadWrite.All'], '200'))) return;
      if (isAdded) tags.add(value);
      else tags.delete(value);
      agree('tags', [...answer.json.machineTags].sort(), [...tags].sort());
      agree('isOnline', answer.json.isOnline, online);
    },
  });

const byTag = (by: CallerName, value: string): Step =>
  step({
    text: `${by} looks for machines tagged ${value}`,
    run: async (site, { callers, machineId }) => {
      const answer = await callers[by].call(`/api/machines/findbytag?tag=${value}`);
      if (!isServed('find by tag', outcomeOf(answer), answerTo(by, READ, '200'))) return;
      const tagged = site.machines.flatMap(({ tags }, index) => (tags.has(value) ? [machineId(index)] : []));
      agree(`machines tagged ${value}`, answer.json.value.map(({ id }: Json) => id).sort(), tagged.sort());
    },
  });

const tagName = fc.constantFrom('red', 'blue');

export const readSteps: readonly fc.Arbitrary<Step>[] = [
  fc.tuple(caller, number).map(([by, place]) => get(by, place)),
  fc
    .tuple(caller, filter, fc.record({ top: fc.nat({ max: 5 }), skip: fc.nat({ max: 3 }) }))
    .map(([by, filterOf, page]) => list(by, filterOf, page)),
  fc.tuple(caller, number, fc.nat({ max: 3 })).map(([by, place, index]) => link(by, place, index)),
  fc.record({ by: caller, machine, tag: tagName, isAdded: fc.boolean() }).map(tag),
  fc.tuple(caller, tagName).map(([by, value]) => byTag(by, value)),
];
