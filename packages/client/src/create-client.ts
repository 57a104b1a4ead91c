/** The typed REST client, made from the contract's table of endpoints: same paths, same schemas, same permissions. */
import { actionCalls } from './action-calls.ts';
import { createCorridor } from './corridor.ts';
import { serverBase } from './endpoint-url.ts';
import { libraryCalls } from './library-calls.ts';
import { machineCalls } from './machine-calls.ts';
import { type Credentials, createTokenSource } from './token-source.ts';
import { type Transport, trust } from './transport.ts';
import type { ClientWorld } from './world.ts';

export type ClientOptions = {
  /** The server's address, `https://host:port`; a path is kept, for servers behind a proxy. */
  readonly server: string;
  readonly credentials: Credentials;
  readonly transport: Transport;
  readonly world: ClientWorld;
  /** The CA to trust instead of the system's, PEM. */
  readonly caPem?: string | null;
  /** Seconds that one call may wait because of 429 and make itself again; default 0: that failure is thrown. */
  readonly limitPatienceSeconds?: number;
};

/** Makes no request yet. Throws when `server` is no http or https URL. */
export const createClient = (options: ClientOptions) => {
  const server = serverBase(options.server);
  const trusted = trust(options.caPem ?? null);
  const tokens = createTokenSource({ ...options, server, trusted });
  const limitPatienceSeconds = options.limitPatienceSeconds ?? 0;
  const io = { server, tokens, trusted, transport: options.transport, world: options.world, limitPatienceSeconds };
  const corridor = createCorridor(io);
  return {
    /** Asks for a token, if none is held: the cheapest way to try address, trust and credentials. */
    signIn: async (): Promise<void> => {
      await tokens.get();
    },
    ...actionCalls(io, corridor),
    ...machineCalls(corridor),
    ...libraryCalls(io, corridor),
  };
};

export type Client = ReturnType<typeof createClient>;
