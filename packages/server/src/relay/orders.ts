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
]);
export type GatewayOrder = z.infer<typeof GatewayOrder>;
