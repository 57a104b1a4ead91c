import { Refusal } from '@longarm/contract/errors';
import { parseActionId } from '@longarm/contract/ids';
import type { Caller } from '../audit/ports.ts';
import type { ActionRecord } from './action-record.ts';
import type { ActionStore } from './ports.ts';

/** The caller's action by the text of its id; throws ResourceNotFound, also where the text is no id at all. */
export const findAction =
  (io: { readonly actions: Pick<ActionStore, 'get'> }) =>
  async (caller: Caller, text: string): Promise<ActionRecord> => {
    const id = parseActionId(text);
    const action = id === null ? null : await io.actions.get(caller, id);
    if (action === null) throw new Refusal('ResourceNotFound', `Machine action ${text} was not found.`);
    return action;
  };
