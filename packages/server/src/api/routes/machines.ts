import { isIP } from 'node:net';
import { Refusal } from '@longarm/contract/errors';
import { FIND_BY_IP_DAYS, FIND_BY_IP_WINDOW_MINUTES } from '@longarm/contract/limits';
import { MachineEntity } from '@longarm/contract/machine';
import { MACHINE_FIELDS } from '@longarm/contract/odata/fields';
import { TagRequest } from '@longarm/contract/rest/machines';
import type { Clock } from '../../actions/ports.ts';
import type { Reach } from '../../audit/reach.ts';
import { jsonAnswer } from '../../http/json-answer.ts';
import type { MachineRecord, MachineStore } from '../../machines/ports.ts';
import { collectionAnswer } from '../collection-answer.ts';
import { parseMoment } from '../odata/moment.ts';
import { parseCollectionQuery } from '../odata/parse-collection-query.ts';
import { parseBody } from '../parse-body.ts';
import { contextOf, presentCollection } from '../present/context.ts';
import { presentMachine, presentMachineEntity } from '../present/present-machine.ts';
import type { Route } from '../route.ts';

const COLLECTION = { fields: MACHINE_FIELDS, properties: Object.keys(MachineEntity.shape) };
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

type FindMachine = (reach: Reach, text: string) => Promise<MachineRecord>;
type MachinesIo = { readonly machines: MachineStore; readonly findMachine: FindMachine; readonly clock: Clock };

export const listMachinesRoute =
  (io: Pick<MachinesIo, 'machines' | 'clock'>): Route =>
  async ({ caller, url, base }) => {
    const query = parseCollectionQuery(url.searchParams, COLLECTION);
    const now = io.clock.now();
    const { machines, ...page } = await io.machines.list(caller, query, now);
    const entities = machines.map((machine) => presentMachine(machine, now));
    return collectionAnswer({ url, base }, { name: 'Machines', query, ...page }, entities);
  };

export const getMachineRoute =
  (io: Pick<MachinesIo, 'findMachine' | 'clock'>): Route =>
  async ({ caller, params, base }) =>
    jsonAnswer(presentMachineEntity(await io.findMachine(caller, params.id ?? ''), base, io.clock.now()));

const answerMachines = (io: Pick<MachinesIo, 'clock'>, base: string, machines: readonly MachineRecord[]): Response => {
  const page = { context: contextOf(base, 'Machines'), count: null, nextLink: null };
  return jsonAnswer(
    presentCollection(
      page,
      machines.map((machine) => presentMachine(machine, io.clock.now())),
    ),
  );
};

const unquote = (text: string): string => text.trim().replace(/^'(.*)'$/s, '$1');

const momentOf = (text: string, now: number): number => {
  const at = parseMoment(text.trim());
  if (at === null)
    throw new Refusal(
      'InvalidInput',
      `timestamp: expected a moment as 2026-02-04T15:30:00Z, got ${JSON.stringify(text)}.`,
    );
  if (at < now - FIND_BY_IP_DAYS * DAY_MS)
    throw new Refusal('InvalidInput', `timestamp: expected one within the last ${FIND_BY_IP_DAYS} days, got ${text}.`);
  return at;
};

export const findMachinesByIpRoute =
  (io: Pick<MachinesIo, 'machines' | 'clock'>): Route =>
  async ({ caller, params, base }) => {
    const address = unquote(params.ip ?? '');
    if (isIP(address) === 0)
      throw new Refusal('InvalidIpAddress', `ip: expected an IPv4 or IPv6 address, got ${JSON.stringify(address)}.`);
    const at = momentOf(unquote(params.timestamp ?? ''), io.clock.now());
    const window = { from: at - FIND_BY_IP_WINDOW_MINUTES * MINUTE_MS, to: at + FIND_BY_IP_WINDOW_MINUTES * MINUTE_MS };
    return answerMachines(io, base, await io.machines.byAddress(caller, address, window));
  };

export const findMachinesByTagRoute =
  (io: Pick<MachinesIo, 'machines' | 'clock'>): Route =>
  async ({ caller, url, base }) => {
    const options = new Map([...url.searchParams].map(([key, value]) => [key.toLowerCase(), value]));
    const tag = options.get('tag') ?? '';
    if (tag === '') throw new Refusal('MissingRequiredParameter', 'Expected a tag in the query option tag, got none.');
    const startsWith = options.get('usestartswithfilter')?.toLowerCase() === 'true';
    return answerMachines(io, base, await io.machines.byTag(caller, tag, startsWith));
  };

export const changeMachineTagsRoute =
  (io: MachinesIo): Route =>
  async ({ caller, request, params, base }) => {
    const { value } = await parseBody(request, { schema: TagRequest, names: ['Value', 'Action'] });
    const machine = await io.findMachine(caller, params.id ?? '');
    const now = io.clock.now();
    const isChanged = await io.machines.changeTag({
      reach: caller,
      machineId: machine.id,
      tag: value.Value,
      action: value.Action,
      actor: caller.name,
      origin: caller.origin,
      now,
    });
    if (!isChanged) throw new Refusal('ResourceNotFound', `Machine ${params.id} was not found.`);
    return jsonAnswer(presentMachineEntity(await io.findMachine(caller, machine.id), base, now));
  };

export const listLogonUsersRoute =
  (io: Pick<MachinesIo, 'findMachine'>): Route =>
  async ({ caller, params, base }) => {
    await io.findMachine(caller, params.id ?? '');
    return jsonAnswer(
      presentCollection({ context: contextOf(base, 'Collection(LogonUser)'), count: null, nextLink: null }, []),
    );
  };
