/** A collector of traces on loopback: takes OTLP over HTTP as JSON, and keeps what came. */
import { z } from 'zod';
import { until } from './until.ts';

const Value = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
  z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
  z.object({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
]);

const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.coerce.number(),
  endTimeUnixNano: z.coerce.number(),
  attributes: z
    .array(z.object({ key: z.string(), value: Value }))
    .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, value]))),
  status: z.object({ code: z.number().optional(), message: z.string().optional() }),
});
export type CollectedSpan = z.infer<typeof Span>;

const Payload = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) })),
});

export type TraceCollector = {
  readonly url: string;
  /** The spans of a trace, once there are all that are wanted. */
  readonly trace: (
    traceId: string,
    isWhole: (spans: readonly CollectedSpan[]) => boolean,
  ) => Promise<readonly CollectedSpan[]>;
  readonly all: () => readonly CollectedSpan[];
  readonly stop: () => Promise<void>;
};

export const startTraceCollector = (): TraceCollector => {
  const spans: CollectedSpan[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      if (new URL(request.url).pathname !== '/v1/traces') return new Response(null, { status: 404 });
      const { resourceSpans } = Payload.parse(await request.json());
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      return Response.json({});
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    trace: (traceId, isWhole) => until(async () => spans.filter((span) => span.traceId === traceId), isWhole),
    all: () => spans,
    stop: () => server.stop(true),
  };
};
