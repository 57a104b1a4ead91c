import { ActionEntity } from '@longarm/contract/action';
import { Refusal } from '@longarm/contract/errors';
import { type ActionId, parseActionId } from '@longarm/contract/ids';
import { ACTION_FIELDS } from '@longarm/contract/odata/fields';
import { CancelRequest, DecisionRequest } from '@longarm/contract/rest/machine-actions';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { DecisionAsked } from '../../actions/decide-action.ts';
import type { ActionStore, DecisionKind, TransferProgress } from '../../actions/ports.ts';
import type { Caller } from '../../audit/ports.ts';
import { jsonAnswer } from '../../http/json-answer.ts';
import { collectionAnswer } from '../collection-answer.ts';
import { parseCollectionQuery } from '../odata/parse-collection-query.ts';
import { parseBody } from '../parse-body.ts';
import { contextOf } from '../present/context.ts';
import { presentAction, presentActionEntity } from '../present/present-action.ts';
import type { Route } from '../route.ts';

const COLLECTION = { fields: ACTION_FIELDS, properties: Object.keys(ActionEntity.shape) };

export const listMachineActionsRoute =
  (io: { readonly actions: Pick<ActionStore, 'list'> }): Route =>
  async ({ caller, url, base }) => {
    const query = parseCollectionQuery(url.searchParams, COLLECTION);
    const { actions, ...page } = await io.actions.list(caller, query);
    const entities = actions.map((action) => presentAction(action));
    return collectionAnswer({ url, base }, { name: 'MachineActions', query, ...page }, entities);
  };

type FindAction = (caller: Caller, id: string) => Promise<ActionRecord>;

export const getMachineActionRoute =
  (io: { readonly findAction: FindAction; readonly transfers: Pick<TransferProgress, 'of'> }): Route =>
  async ({ caller, params, base }) => {
    const action = await io.findAction(caller, params.id ?? '');
    return jsonAnswer(presentActionEntity(action, base, io.transfers.of(action.id)));
  };

export const getResultLinkRoute =
  (io: {
    readonly issueResultLink: (
      caller: Caller,
      result: { readonly actionId: string; readonly index: number; readonly base: string },
    ) => Promise<string>;
  }): Route =>
  async ({ caller, params, base }) => {
    const index = params.index ?? '';
    if (!/^[0-9]{1,5}$/.test(index))
      throw new Refusal('ResourceNotFound', `Expected a command index, counted from 0, got ${JSON.stringify(index)}.`);
    const value = await io.issueResultLink(caller, { actionId: params.id ?? '', index: Number(index), base });
    return jsonAnswer({ '@odata.context': contextOf(base, 'Edm.String'), value });
  };

const requireActionId = (text: string): ActionId => {
  const id = parseActionId(text);
  if (id === null) throw new Refusal('ResourceNotFound', `Machine action ${text} was not found.`);
  return id;
};

export const cancelMachineActionRoute =
  (io: {
    readonly cancelAction: (
      caller: Caller,
      cancel: { readonly actionId: ActionId; readonly comment: string },
    ) => Promise<ActionRecord>;
  }): Route =>
  async ({ caller, request, params, base }) => {
    const { value } = await parseBody(request, { schema: CancelRequest, names: ['Comment'], whenEmpty: {} });
    const cancel = { actionId: requireActionId(params.id ?? ''), comment: value.Comment ?? '' };
    return jsonAnswer(presentActionEntity(await io.cancelAction(caller, cancel), base));
  };

export const decideMachineActionRoute =
  (
    io: { readonly decideAction: (caller: Caller, asked: DecisionAsked) => Promise<ActionRecord> },
    decision: DecisionKind,
  ): Route =>
  async ({ caller, request, params, base }) => {
    const { value } = await parseBody(request, { schema: DecisionRequest, names: ['Reason'] });
    const asked = { actionId: requireActionId(params.id ?? ''), decision, reason: value.Reason };
    return jsonAnswer(presentActionEntity(await io.decideAction(caller, asked), base));
  };

export const getPackageUriRoute =
  (io: { readonly findAction: FindAction }): Route =>
  async ({ caller, params }) => {
    const action = await io.findAction(caller, params.id ?? '');
    throw new Refusal('ResourceNotFound', `Machine action ${action.id} has no investigation package.`);
  };
