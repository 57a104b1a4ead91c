/** Where the server and the reference are held against each other. */
import type { Answer, Json } from '@longarm/testkit/api-caller';
import type { ReferenceAction } from './reference/action.ts';
import type { ReferenceSite } from './reference/site.ts';
import type { System } from './system.ts';

/** Throws with both when they differ. */
export const agree = (what: string, got: unknown, expected: unknown): void => {
  if (Bun.deepEquals(got, expected)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
};

/** The code of a refusal, or its status where it is none. */
export const outcomeOf = ({ status, json }: Answer): string =>
  status < 300 ? `${status}` : `${status} ${json?.error?.code}`;

const RESULT_STREAMS = { PutFile: [], RunScript: ['stderr', 'stdout'], GetFile: ['file'] } as const;

const expectedState = (site: ReferenceSite, system: System, action: ReferenceAction) => ({
  id: action.id,
  status: action.status,
  machineId: system.machineId(action.machine),
  requestor: action.requestor,
  requestorComment: action.comment,
  cancellationState: action.cancellation,
  commands: action.commands.map(({ kind, status, exitCode, output }, index) => ({
    index,
    kind,
    status,
    exitCode,
    results: output === null ? [] : RESULT_STREAMS[kind],
  })),
  isKnown: site.actions.includes(action),
});

const shownState = (entity: Json) => ({
  id: entity.id,
  status: entity.status,
  machineId: entity.machineId,
  requestor: entity.requestor,
  requestorComment: entity.requestorComment,
  cancellationState: entity.cancellationState,
  commands: entity.commands.map((command: Json) => ({
    index: command.index,
    kind: command.command.type,
    status: command.commandStatus,
    exitCode: command.exitCode,
    results: command.results.map(({ stream }: Json) => stream).sort(),
  })),
  isKnown: true,
});

export const agreeOnAction = (site: ReferenceSite, system: System, entity: Json): void =>
  agree(`action ${entity.id}`, shownState(entity), expectedState(site, system, site.action(entity.id)));

/** Everything that can be seen, at the end of a run. */
export const agreeOnAll = async (site: ReferenceSite, system: System): Promise<void> => {
  const { json } = await system.callers.analyst.call('/api/machineactions');
  agree(
    'all actions, the newest first',
    json.value.map(({ id }: Json) => id),
    site.actions.map(({ id }) => id).reverse(),
  );
  for (const entity of json.value) agreeOnAction(site, system, entity);
  const library = await system.callers.librarian.call('/api/libraryfiles');
  agree(
    'the library',
    library.json.value.map(({ fileName }: Json) => fileName),
    [...site.library.keys()].sort(),
  );
  for (const [index, machine] of site.machines.entries())
    agree(`machine ${index} is online`, await system.isOnline(index), machine.online);
};
