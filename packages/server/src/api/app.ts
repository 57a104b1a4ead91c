/**
 * The corridor that every call of the REST API walks: request id → endpoint → authenticate → authorise → rate →
 * route → answer. Order and what counts: semantics 20. Everything that goes wrong meets one translator at its end.
 */
import { Refusal } from '@longarm/contract/errors';
import { ENDPOINTS, type EndpointName } from '@longarm/contract/rest/index';
import type { Caller } from '../audit/ports.ts';
import { authorise } from '../auth/authorise.ts';
import { errorAnswer, type FaultLog } from '../http/error-answer.ts';
import type { CallRate } from '../limits/call-rate.ts';
import { matchPath } from './match-path.ts';
import type { Route } from './route.ts';

type AppIo = {
  readonly authenticate: (authorization: string | null) => Promise<Caller>;
  readonly rate: CallRate;
  readonly routes: Readonly<Record<EndpointName, Route>>;
  readonly newId: () => string;
  readonly onFault: FaultLog;
};

export type Connection = { readonly base: string; readonly keepOpen: () => void };

/** Serves one request to `/api`. Never throws. */
export type ApiDoor = (request: Request, connection: Connection) => Promise<Response>;

const walk = async (io: AppIo, request: Request, connection: Connection): Promise<Response> => {
  const url = new URL(request.url);
  const match = matchPath(request.method, url.pathname);
  const caller = await io.authenticate(request.headers.get('authorization'));
  if (match === null) {
    throw new Refusal('NotFound', `There is no ${request.method} ${url.pathname} here. /docs lists what there is.`);
  }
  const endpoint = ENDPOINTS[match.name];
  authorise(caller, endpoint.permission);
  const giveBack = io.rate.count({ subject: caller.subject, endpoint: match.name, rate: endpoint.rate });
  try {
    return await io.routes[match.name]({ ...connection, caller, request, url, params: match.params });
  } catch (fault) {
    if (fault instanceof Refusal && fault.code === 'TooManyRequests') giveBack();
    throw fault;
  }
};

export const apiDoor =
  (io: AppIo): ApiDoor =>
  async (request, connection) => {
    const requestId = io.newId();
    try {
      return await walk(io, request, connection);
    } catch (fault) {
      return errorAnswer(fault, requestId, io.onFault);
    }
  };
