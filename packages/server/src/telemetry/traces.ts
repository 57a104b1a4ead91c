/**
 * Traces for OpenTelemetry: one for each action, whose id is the action's own without its dashes, so that whoever knows
 * the action finds the trace, and every process that has a part in it names the same without asking another. What
 * happened is told when it is over: a step has its begin and its end. Sent by OTLP over HTTP, in batches, beside what
 * the server does; a collector that is away loses traces and holds up nothing.
 */
import { createHash } from 'node:crypto';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** Spans that wait to be sent; those that come above it are lost. */
const QUEUE_SPANS = 8_192;
const SEND_EVERY_MS = 1_000;
/** How long a collector may take with a batch. */
const SEND_MS = 2_000;

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Something that took its time, milliseconds since 1970 with fractions. */
export type Step = {
  readonly actionId: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Where it happened; the server when left out. */
  readonly where?: 'server' | 'device';
  readonly attributes?: Attributes;
  /** Why it went wrong, a closed word; absent when it did not. */
  readonly fault?: string;
};

export type Traces = {
  /** A part of the action's way, below the whole of it. */
  readonly step: (step: Step) => void;
  /** The whole of it, from the request to its final state: told once. */
  readonly whole: (step: Omit<Step, 'name' | 'where'>) => void;
  /** Sends what waits, and takes no more. */
  readonly close: () => Promise<void>;
};

const traceIdOf = (actionId: string): string => actionId.replaceAll('-', '').toLowerCase();

/** The span of the whole: known to everybody by the action's id alone. */
const wholeSpanIdOf = (actionId: string): string =>
  createHash('sha256').update(`longarm whole ${actionId.toLowerCase()}`).digest('hex').slice(0, 16);

/** W3C Trace Context (https://www.w3.org/TR/trace-context/), as the frames carry it. */
export const traceparentOf = (actionId: string): string => `00-${traceIdOf(actionId)}-${wholeSpanIdOf(actionId)}-01`;

type Ids = { readonly traceId: string; readonly spanId: string };

type TracesIo = {
  /** Where a collector takes OTLP over HTTP, as http://127.0.0.1:4318/v1/traces. */
  readonly url: string;
  readonly version: string;
  /** `randomBytes`-like: so many random bytes, hex. */
  readonly randomHex: (bytes: number) => string;
};

const providerOf = (io: TracesIo, preset: () => Ids | null) =>
  new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'longarm-server', 'service.version': io.version }),
    idGenerator: {
      generateTraceId: () => preset()?.traceId ?? io.randomHex(16),
      generateSpanId: () => preset()?.spanId ?? io.randomHex(8),
    },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: io.url, timeoutMillis: SEND_MS }),
        exportTimeoutMillis: SEND_MS,
        maxQueueSize: QUEUE_SPANS,
        scheduledDelayMillis: SEND_EVERY_MS,
      }),
    ],
  });

const belowWhole = (actionId: string) =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(actionId),
    spanId: wholeSpanIdOf(actionId),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });

export const openTraces = (io: TracesIo): Traces => {
  let preset: Ids | null = null;
  const provider = providerOf(io, () => preset);
  const tracer = provider.getTracer('longarm', io.version);
  const tell = (step: Omit<Step, 'where'>, context: typeof ROOT_CONTEXT, kind: SpanKind) => {
    const { actionId, name, startMs, endMs, attributes, fault } = step;
    const span = tracer.startSpan(
      name,
      { kind, startTime: startMs, attributes: { ...attributes, 'longarm.action.id': actionId } },
      context,
    );
    if (fault !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: fault });
    span.end(Math.max(startMs, endMs));
  };
  return {
    step: ({ where = 'server', ...step }) =>
      tell(
        { ...step, attributes: { ...step.attributes, 'longarm.where': where } },
        belowWhole(step.actionId),
        SpanKind.INTERNAL,
      ),
    whole: (step) => {
      preset = { traceId: traceIdOf(step.actionId), spanId: wholeSpanIdOf(step.actionId) };
      tell({ ...step, name: 'live response' }, ROOT_CONTEXT, SpanKind.SERVER);
      preset = null;
    },
    // what could not be sent is lost, and no reason not to stop
    close: () => provider.shutdown().catch(() => undefined),
  };
};
