import type { ActionEntity } from '@longarm/contract/action';
import { ENDPOINTS } from '@longarm/contract/rest/index';
import type { RunLiveResponseRequest } from '@longarm/contract/rest/run-live-response';
import type { Corridor, CorridorIo } from './corridor.ts';
import { getResultLink, type OpenResultOptions, openResult, type ResultAddress } from './open-result.ts';
import { type CollectionOptions, eachItem } from './pages.ts';
import { watchAction } from './watch-action.ts';
import type { WatchOptions } from './watch-events.ts';
import { type WatchedOutput, watchOutput } from './watch-output.ts';

export type RunOptions = {
  /** The same key and body within 24 hours gives the same action again, so a call may be repeated. */
  readonly idempotencyKey?: string;
};

/** Calls about machine actions. Each throws `ApiFailure`, `Unreachable` or `UnexpectedAnswer`. */
export const actionCalls = (io: CorridorIo, corridor: Corridor) => ({
  /** `machine`: an id, a DNS name or an aadDeviceId. The answer is the action, always `Pending`. */
  runLiveResponse: (
    machine: string,
    request: RunLiveResponseRequest,
    options: RunOptions = {},
  ): Promise<ActionEntity> =>
    corridor.sendJson(ENDPOINTS.runLiveResponse, {
      path: { id: machine },
      json: request,
      ...(options.idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': options.idempotencyKey } }),
    }),
  listActions: (query: CollectionOptions = {}): AsyncGenerator<ActionEntity> =>
    eachItem((page) => corridor.sendJson(ENDPOINTS.listMachineActions, { query: page }), query),
  getAction: (id: string): Promise<ActionEntity> => corridor.sendJson(ENDPOINTS.getMachineAction, { path: { id } }),
  cancelAction: (id: string, comment: string): Promise<ActionEntity> =>
    corridor.sendJson(ENDPOINTS.cancelMachineAction, { path: { id }, json: { Comment: comment } }),
  /** `reason` is kept. Refused to whoever requested the action. */
  approveAction: (id: string, reason: string): Promise<ActionEntity> =>
    corridor.sendJson(ENDPOINTS.approveMachineAction, { path: { id }, json: { Reason: reason } }),
  denyAction: (id: string, reason: string): Promise<ActionEntity> =>
    corridor.sendJson(ENDPOINTS.denyMachineAction, { path: { id }, json: { Reason: reason } }),
  /** The entity at once and after each change, until it is final in effect. */
  watchAction: (id: string, options: WatchOptions = {}): AsyncGenerator<ActionEntity> =>
    watchAction({ corridor, world: io.world, origin: io.server.origin }, id, options),
  /** What a script says, as it comes, from its start until it has ended. */
  watchOutput: (address: ResultAddress, options: WatchOptions = {}): AsyncGenerator<WatchedOutput> =>
    watchOutput({ corridor, world: io.world, origin: io.server.origin }, address, options),
  getResultLink: (address: ResultAddress): Promise<string> => getResultLink(corridor, address),
  /** The bytes of a result, resumed where a connection was cut. */
  openResult: (address: ResultAddress, options: OpenResultOptions = {}): Promise<AsyncGenerator<Uint8Array>> =>
    openResult({ ...io, corridor }, address, options),
});
