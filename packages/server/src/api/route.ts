/** What a route gets, and what it gives. */
import type { Caller } from '../audit/ports.ts';

export type RouteContext = {
  readonly caller: Caller;
  readonly request: Request;
  readonly url: URL;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The server's public address, without a slash at its end. */
  readonly base: string;
  /** Lifts the idle limit of the connection: for streams and uploads. */
  readonly keepOpen: () => void;
};

export type Route = (context: RouteContext) => Promise<Response>;
