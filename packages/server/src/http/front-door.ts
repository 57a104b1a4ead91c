/** Every HTTP request comes in here and goes to the door that it is for. */
import { type ErrorCode, Refusal } from '@longarm/contract/errors';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { codeOf, errorAnswer, type FaultLog } from './error-answer.ts';
import { harden } from './harden.ts';
import { isChange } from './is-change.ts';

/** A transfer that stands still for this long is broken off, and resumes from where it was. */
export const TRANSFER_IDLE_SECONDS = 120;

type Door = (request: Request, path: string) => Promise<Response | null>;

export type Doors<Server> = {
  /** The address that callers use, without a slash at its end. */
  readonly base: () => string;
  /** The address was configured (`--public-url`): no header stands above it. */
  readonly isBaseFixed: boolean;
  readonly trustProxy: boolean;
  readonly api: (
    request: Request,
    connection: { readonly base: string; readonly keepOpen: () => void; readonly address: string | null },
  ) => Promise<Response>;
  readonly token: (
    request: Request,
    path: string,
    connection: { readonly base: string; readonly source: string | null },
  ) => Promise<Response | null>;
  /** Pages for people who sign in here. */
  readonly signIn: (
    request: Request,
    path: string,
    connection: { readonly base: string; readonly source: string | null },
  ) => Promise<Response | null>;
  readonly enrol: (request: Request, path: string, remoteAddress: string | null) => Promise<Response | null>;
  readonly transfer: Door;
  /** Executables of the agent and the scripts that fetch them. */
  readonly install: (request: Request, path: string, remoteAddress: string | null) => Promise<Response | null>;
  readonly reference: (path: string, base: string) => Promise<Response | null>;
  /** True when the request became a socket. */
  readonly upgrade: (request: Request, server: Server, remoteAddress: string | null) => boolean;
  readonly remoteAddress: (request: Request, server: Server) => string | null;
  /** How long the request's connection may be idle, in seconds; 0 is for ever. */
  readonly allowIdle: (request: Request, server: Server, seconds: number) => void;
  readonly newId: () => string;
  readonly onFault: FaultLog;
  /** A request that would have changed something was refused; the API's own are not told here. */
  readonly onRefused: (refused: RefusedRequest) => void;
};

export type RefusedRequest = {
  readonly code: ErrorCode;
  readonly door: 'enrol' | 'transfer' | 'other';
  readonly address: string | null;
  readonly requestId: string;
};

const firstOf = (header: string | null): string | null => header?.split(',')[0]?.trim() || null;

/** With a proxy that is vouched for, the address that its own caller used. */
const baseOf = <Server>(doors: Doors<Server>, request: Request): string => {
  const host = firstOf(request.headers.get('x-forwarded-host')) ?? request.headers.get('host');
  if (doors.isBaseFixed || !doors.trustProxy || host === null) return doors.base();
  const scheme = firstOf(request.headers.get('x-forwarded-proto')) ?? new URL(doors.base()).protocol.replace(':', '');
  return URL.parse(`${scheme}://${host}`)?.origin ?? doors.base();
};

/** What the nearest proxy saw: it appends, and what stands before was said by the caller. */
const lastOf = (header: string | null): string | null => header?.split(',').at(-1)?.trim() || null;

/** The caller's address, where a proxy that is vouched for says it; null for that of the connection. */
export const proxiedAddress = (trustProxy: boolean, headers: Headers): string | null =>
  trustProxy ? lastOf(headers.get('x-forwarded-for')) : null;

const callerAddress = <Server>(doors: Doors<Server>, request: Request, server: Server): string | null =>
  proxiedAddress(doors.trustProxy, request.headers) ?? doors.remoteAddress(request, server);

/** What devices ask for, before and after they are machines of this server. */
export const isForDevices = (path: string): boolean => /^\/(?:agent\/|results\/|install[/.])/.test(path);

const isApi = (path: string): boolean => /^\/+api(\/|$)/i.test(path);

const forDevices = async <Server>(
  doors: Doors<Server>,
  request: Request,
  connection: { readonly path: string; readonly server: Server; readonly address: string | null },
) => {
  const { path, server, address } = connection;
  if (!isForDevices(path)) return null;
  if (doors.upgrade(request, server, address)) return undefined;
  doors.allowIdle(request, server, TRANSFER_IDLE_SECONDS);
  return (
    (await doors.enrol(request, path, address)) ??
    (await doors.transfer(request, path)) ??
    (await doors.install(request, path, address))
  );
};

const doorOf = (path: string): RefusedRequest['door'] => {
  if (path === AGENT_PATHS.enrol) return 'enrol';
  return isForDevices(path) ? 'transfer' : 'other';
};

const refuse = <Server>(
  doors: Doors<Server>,
  request: Request,
  { fault, ...refused }: Omit<RefusedRequest, 'code'> & { readonly fault: unknown },
) => {
  const code = codeOf(fault);
  if (isChange(request) && code !== 'NotFound') doors.onRefused({ ...refused, code });
  return errorAnswer(fault, refused.requestId, doors.onFault);
};

const answerOf = async <Server>(doors: Doors<Server>, request: Request, server: Server) => {
  const path = new URL(request.url).pathname;
  const base = baseOf(doors, request);
  const address = callerAddress(doors, request, server);
  if (isApi(path)) return doors.api(request, { base, address, keepOpen: () => doors.allowIdle(request, server, 0) });
  try {
    const answer = await forDevices(doors, request, { path, server, address });
    if (answer !== null) return answer;
    const connection = { base, source: address };
    const other =
      (await doors.token(request, path, connection)) ??
      // what security keys are bound to is the server's own address, whatever a proxy or a header says
      (await doors.signIn(request, path, { base: doors.base(), source: address })) ??
      (await doors.reference(path, base));
    if (other !== null) return other;
    throw new Refusal('NotFound', `There is no ${request.method} ${path} here. /docs lists what there is.`);
  } catch (fault) {
    return refuse(doors, request, { fault, door: doorOf(path), address, requestId: doors.newId() });
  }
};

/** Resolves to undefined for a request that became a socket. Never throws. */
export const frontDoor =
  <Server>(doors: Doors<Server>) =>
  async (request: Request, server: Server): Promise<Response | undefined> => {
    const answer = await answerOf(doors, request, server);
    return answer === undefined ? undefined : harden(answer);
  };
