/**
 * What a gateway process is told on its standard input, one JSON document a line: the input's end is its own, so that it
 * never outlives the main process. The first line starts it; later ones bring new certificates. It is a channel between
 * parent and child, which is why it may carry a key.
 */
import { z } from 'zod';

const TlsPair = z.object({ certificatePem: z.string(), keyPem: z.string() });

export const StartOrder = z.object({
  order: z.literal('start'),
  /** Shown at the trunk: whoever has it was started by this server. */
  secret: z.base64url(),
  /** Unix sockets of the main process. */
  trunkPath: z.string(),
  requestPath: z.string(),
  host: z.string(),
  /** 0 lets the system choose. */
  port: z.int().min(0).max(65_535),
  /** How many listeners share the port in this process. */
  listeners: z.int().min(1),
  maxBodyBytes: z.number().positive(),
  trustProxy: z.boolean(),
  heartbeatMs: z.number().positive(),
  pair: TlsPair.nullable(),
});
export type StartOrder = z.infer<typeof StartOrder>;

export const GatewayOrder = z.discriminatedUnion('order', [
  StartOrder,
  z.object({ order: z.literal('certificate'), pair: TlsPair }),
  /** Take new connections on the port, or leave them to the others; what is connected stays. */
  z.object({ order: z.literal('port'), takes: z.boolean() }),
]);
export type GatewayOrder = z.infer<typeof GatewayOrder>;

/** What a gateway says once it listens; `places` is null where nothing bounds them. */
const Listening = z.object({ port: z.int().positive(), places: z.int().positive().nullable() });
export type Listening = z.infer<typeof Listening>;

/** Null for what no gateway says. */
export const readListening = (text: string): Listening | null => {
  try {
    return Listening.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
