/** What clients of the original call beside live response (semantics 22). */
import { Refusal } from '@longarm/contract/errors';
import { UNSUPPORTED_ACTIONS } from '@longarm/contract/rest/neighbours';
import type { Reach } from '../../audit/reach.ts';
import { jsonAnswer } from '../../http/json-answer.ts';
import { contextOf, presentCollection } from '../present/context.ts';
import type { Route } from '../route.ts';

export const emptyCollectionRoute =
  (what: string): Route =>
  async ({ base }) =>
    jsonAnswer(presentCollection({ context: contextOf(base, what), count: null, nextLink: null }, []));

export const unsupportedActionRoute =
  (io: { readonly findMachine: (reach: Reach, text: string) => Promise<unknown> }): Route =>
  async ({ caller, params, url }) => {
    const action = UNSUPPORTED_ACTIONS.find((name) => name.toLowerCase() === params.action?.toLowerCase());
    if (action === undefined)
      throw new Refusal('NotFound', `There is no POST ${url.pathname} here. /docs lists what there is.`);
    await io.findMachine(caller, params.id ?? '');
    throw new Refusal(
      'OsPlatformNotSupported',
      `${action} is not supported on this machine: Longarm runs live response only.`,
    );
  };
