/**
 * The corridor that every call of the REST API walks: request id → endpoint → authenticate → authorise → rate →
 * route → answer. Order and what counts: semantics 20. Everything that goes wrong meets one translator at its end,
 * and, where it would have changed something, the audit's tally.
 */
import { Refusal } from '@longarm/contract/errors';
import { ENDPOINTS, type EndpointName } from '@longarm/contract/rest/index';
import type { Caller, Origin } from '../audit/ports.ts';
import type { AuditTally } from '../audit/tally.ts';
import { authorise } from '../auth/authorise.ts';
import { codeOf, errorAnswer, type FaultLog } from '../http/error-answer.ts';
import { isChange } from '../http/is-change.ts';
import type { CallRate } from '../limits/call-rate.ts';
import { matchPath, type PathMatch } from './match-path.ts';
import type { Route } from './route.ts';

type AppIo = {
  readonly authenticate: (authorization: string | null) => Promise<Omit<Caller, 'origin'>>;
  readonly rate: CallRate;
  readonly routes: Readonly<Record<EndpointName, Route>>;
  readonly tally: Pick<AuditTally, 'count'>;
  readonly newId: () => string;
  readonly onFault: FaultLog;
};

export type Connection = {
  readonly base: string;
  readonly keepOpen: () => void;
  /** Of whoever calls. */
  readonly address: string | null;
};

/** Serves one request to `/api`. Never throws. */
export type ApiDoor = (request: Request, connection: Connection) => Promise<Response>;

/** One call, and what is known of it so far. */
type Call = {
  readonly request: Request;
  readonly connection: Connection;
  readonly url: URL;
  readonly match: PathMatch | null;
  readonly origin: Origin;
  caller: Caller | null;
};

const walk = async (io: AppIo, call: Call): Promise<Response> => {
  const { request, url, match, connection } = call;
  const caller = { ...(await io.authenticate(request.headers.get('authorization'))), origin: call.origin };
  call.caller = caller;
  if (match === null) {
    throw new Refusal('NotFound', `There is no ${request.method} ${url.pathname} here. /docs lists what there is.`);
  }
  const endpoint = ENDPOINTS[match.name];
  authorise(caller, endpoint.permission);
  const giveBack = io.rate.count({ subject: caller.subject, endpoint: match.name, rate: endpoint.rate });
  try {
    const { base, keepOpen } = connection;
    return await io.routes[match.name]({ base, keepOpen, caller, request, url, params: match.params });
  } catch (fault) {
    if (fault instanceof Refusal && fault.code === 'TooManyRequests') giveBack();
    throw fault;
  }
};

const countRefusal = (io: AppIo, call: Call, fault: unknown): void => {
  const code = codeOf(fault);
  // where nothing is, nothing would have changed
  if (!isChange(call.request) || code === 'NotFound') return;
  io.tally.count({
    event: code === 'InternalServerError' ? 'request.failed' : 'request.refused',
    by: call.caller,
    subject: call.match?.name ?? 'unknown',
    code,
    origin: call.origin,
    ...(call.match?.params.id === undefined ? {} : { about: call.match.params.id }),
  });
};

export const apiDoor =
  (io: AppIo): ApiDoor =>
  async (request, connection) => {
    const url = new URL(request.url);
    const origin = { address: connection.address, requestId: io.newId() };
    const match = matchPath(request.method, url.pathname);
    const call: Call = { request, connection, url, match, origin, caller: null };
    try {
      return await walk(io, call);
    } catch (fault) {
      countRefusal(io, call, fault);
      return errorAnswer(fault, origin.requestId, io.onFault);
    }
  };
