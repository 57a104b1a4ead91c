/** What the command line takes from outside: streams, terminal, environment, time and the network. */
import type { Transport } from '@longarm/client/transport';
import type { ClientWorld } from '@longarm/client/world';

export type Sink = { readonly write: (chunk: string | Uint8Array) => Promise<void> };

export type Io = {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Reads standard input to its end, as text. */
  readonly stdin: () => Promise<string>;
  /** A person reads stdout on a terminal. */
  readonly isTty: boolean;
  /** Width of that terminal in cells; without one, `Infinity`: nothing is cut. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  /** Asks without echo; null when the person gave up. Only called on a terminal. */
  readonly promptSecret: (question: string) => Promise<string | null>;
  /** The same, with what is typed shown. */
  readonly promptText: (question: string) => Promise<string | null>;
  readonly transport: Transport;
  readonly world: ClientWorld;
  /** Aborts at the first Ctrl-C. Calling it takes the default, which would end the process, away. */
  readonly interruption: () => AbortSignal;
};
