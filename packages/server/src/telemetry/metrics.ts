/**
 * What the server counts and measures, in the text format of Prometheus 0.0.4. Labels are closed sets of ours: no
 * device, person, file or address is ever in one.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Seconds: from a read out of memory to a caller who waits for a disk that is busy. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COMMIT_MILLISECONDS = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1_000];
const UNITS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export type Metrics = ReturnType<typeof createMetrics>;

const requestMetrics = (registers: Registry[]) => ({
  requests: new Counter({
    name: 'longarm_requests_total',
    help: 'Requests answered, by endpoint of the contract (or door) and status',
    labelNames: ['endpoint', 'status'] as const,
    registers,
  }),
  seconds: new Histogram({
    name: 'longarm_request_seconds',
    help: 'Seconds until an answer begins',
    labelNames: ['endpoint'] as const,
    buckets: SECONDS,
    registers,
  }),
  refusals: new Counter({
    name: 'longarm_refusals_total',
    help: 'Requests refused, by the code of their error',
    labelNames: ['code'] as const,
    registers,
  }),
  uploadBytes: new Counter({
    name: 'longarm_upload_bytes_total',
    help: 'Bytes taken into the blob store',
    labelNames: ['what'] as const,
    registers,
  }),
});

const engineMetrics = (registers: Registry[]) => ({
  claims: new Counter({ name: 'longarm_claims_total', help: 'Actions leased to be offered', registers }),
  offers: new Counter({ name: 'longarm_offers_total', help: 'Offers sent to connected devices', registers }),
  reports: new Counter({
    name: 'longarm_reports_total',
    help: 'Facts that devices reported, by kind',
    labelNames: ['kind'] as const,
    registers,
  }),
  unitsWaiting: new Gauge({
    name: 'longarm_store_units_waiting',
    help: 'Units of work queued for the writer',
    registers,
  }),
  unitsPerCommit: new Histogram({
    name: 'longarm_store_units_per_commit',
    help: 'Units of work that one commit made durable',
    buckets: UNITS,
    registers,
  }),
  commitMilliseconds: new Histogram({
    name: 'longarm_store_commit_milliseconds',
    help: 'Milliseconds from the begin of a transaction to its end',
    buckets: COMMIT_MILLISECONDS,
    registers,
  }),
  loopLag: new Histogram({
    name: 'longarm_event_loop_lag_seconds',
    help: 'Seconds that a timer of the server fires late',
    buckets: SECONDS,
    registers,
  }),
});

/** Of gateway processes; their label is a number that we gave. */
const gatewayMetrics = (registers: Registry[]) => {
  const counts = new Map<string, () => number>();
  new Gauge({
    name: 'longarm_gateway_connections',
    help: 'Sockets of devices that a gateway process holds',
    labelNames: ['gateway'] as const,
    registers,
    collect() {
      for (const [gateway, count] of counts) this.set({ gateway }, count());
    },
  });
  return {
    gatewayEnds: new Counter({
      name: 'longarm_gateway_ends_total',
      help: 'Gateway processes that ended without being told to',
      labelNames: ['gateway'] as const,
      registers,
    }),
    /** `count` is asked at each scrape. */
    watchGateway: (gateway: string, count: () => number): void => void counts.set(gateway, count),
  };
};

/** What is read at the moment of a scrape. */
export const GAUGES = {
  longarm_sessions_held: 'Live response sessions running, of the limit for each tenant',
  longarm_sessions_limit: 'Live response sessions that may run at once, for each tenant',
  longarm_devices_connected: 'Devices that hold a connection to this process',
  longarm_actions_pending: 'Actions that wait: for their device, a session, or a second person',
  longarm_actions_running: 'Actions that are in progress',
  longarm_oldest_pending_seconds: 'Seconds that the oldest waiting action has waited; 0 when none does',
  longarm_lockdown: '1 while the server is in lockdown',
  longarm_audit_head: 'Sequence of the newest audit entry',
  longarm_store_bytes: 'Bytes of the database with its write-ahead log',
  longarm_blob_free_bytes: 'Bytes free for new blobs, the reserve left alone',
} as const;
export type GaugeName = keyof typeof GAUGES;
export type GaugeValues = Readonly<Record<GaugeName, number>>;

export const createMetrics = (registry: Registry) => {
  const registers = [registry];
  const gauges = new Map<string, Gauge>();
  for (const [name, help] of Object.entries(GAUGES)) gauges.set(name, new Gauge({ name, help, registers }));
  return {
    ...requestMetrics(registers),
    ...engineMetrics(registers),
    ...gatewayMetrics(registers),
    /** The exposition of this moment. */
    expose: async (values: GaugeValues): Promise<string> => {
      for (const [name, value] of Object.entries(values)) gauges.get(name)?.set(value);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
};
