/** The wiring of the REST API and its token endpoints. */
import { randomUUID } from 'node:crypto';
import { PROFILES } from '@longarm/contract/limits';
import { cancelAction } from '../actions/cancel-action.ts';
import { decideAction } from '../actions/decide-action.ts';
import { findAction } from '../actions/find-action.ts';
import { issueResultLink } from '../actions/issue-result-link.ts';
import { requestLiveResponse } from '../actions/request-live-response.ts';
import { apiDoor } from '../api/app.ts';
import { apiRoutes } from '../api/routes.ts';
import { authenticate } from '../auth/bearer.ts';
import { resultLinks } from '../auth/result-link.ts';
import { libraryUpload } from '../library/upload-library-file.ts';
import { callRate } from '../limits/call-rate.ts';
import { findActiveMachine, findMachine } from '../machines/find-machine.ts';
import { resultBytes } from '../transfer/result-bytes.ts';
import { watchOutput } from '../transfer/watch-output.ts';
import { callerDoors } from './caller-doors.ts';
import type { Engine, World } from './engine.ts';
import { every } from './every.ts';
import { issuerCallers } from './issuers.ts';

const MINUTE_MS = 60_000;

/**
 * Ids of actions rise with time (RFC 9562, version 7), so that rows of one moment lie together in the indexes of all tables
 * that name their action. Nobody has to be unable to guess one: to know an id gives no right to its action.
 */
const risingId = (): string => Bun.randomUUIDv7();

const requestOf = (engine: Engine, { strictArgs }: World['config']) => {
  const { store, hints, clock, limits } = engine;
  return requestLiveResponse({
    actions: store.actions,
    findMachine: findActiveMachine({ machines: store.machines }),
    hints,
    dispatch: engine.engine,
    clock,
    newId: risingId,
    limits,
    strictArgs,
  });
};

export const restApi = (engine: Engine, world: World) => {
  const { config, folder, log } = world;
  const { store, blobs, hints, clock, now, limits, sessions } = engine;
  const links = resultLinks({ key: folder.sealKey, now, validMs: limits['link-minutes'] * MINUTE_MS });
  const { actions, machines, library, access } = store;
  const rate = callRate({ limits, now });
  const find = findAction({ actions });
  const request = requestOf(engine, config);
  const issueLink = issueResultLink({ actions, signLink: links.sign });
  const results = resultBytes({ results: store.results, blobs });
  const findAny = findMachine({ machines });
  const onFault = (requestId: string, fault: unknown) => log.error({ err: fault, requestId }, 'a request failed');
  const { runAcceptedStatus: acceptedStatus } = PROFILES[config.profile];
  const routes = apiRoutes({
    acceptedStatus,
    requestLiveResponse: world.tracing?.request(request) ?? request,
    decideAction: decideAction({ actions, hints, clock }),
    cancelAction: cancelAction({ actions, link: sessions, hints, clock }),
    issueResultLink: world.tracing?.link(issueLink) ?? issueLink,
    findAction: find,
    watchOutput: watchOutput({ findAction: find, actions, blobs: results, hints, live: engine.live, every }),
    findMachine: findAny,
    actions,
    machines,
    library,
    blobs,
    hints,
    transfers: engine.transfers,
    clock,
    now,
    every,
    upload: libraryUpload({ library, blobs, now, limits }),
  });
  const callers = callerDoors(engine, world);
  return {
    links,
    onFault,
    acceptedStatus,
    api: apiDoor({
      authenticate: authenticate({
        access,
        people: store.people,
        secondFactor: config.secondFactor,
        key: folder.tokenKey,
        foreignCaller: issuerCallers(engine, world),
        now,
      }),
      rate,
      routes,
      tally: engine.tally,
      newId: randomUUID,
      onFault,
    }),
    token: callers.tokenDoor,
    signIn: callers.signInDoor,
    forget: () => {
      rate.forget();
      callers.forget();
    },
  };
};
