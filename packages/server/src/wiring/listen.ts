/** The socket that everything but the local administration comes in by. */
import { hostname } from 'node:os';
import type { Server } from 'bun';
import type { ServerConfig } from '../config.ts';
import type { DataFolder } from '../data-folder.ts';
import type { gateway, SocketData } from '../gateway/upgrade.ts';

const MIB = 1_048_576;

/** The address that callers use when no public one is configured. */
export const listenUrl = (config: ServerConfig, port: number): string => {
  const isWildcard = config.host === '0.0.0.0' || config.host === '::';
  const host = isWildcard ? hostname() : config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${config.tls === 'off' ? 'http' : 'https'}://${host}:${port}`;
};

export const listen = (
  config: ServerConfig,
  folder: DataFolder,
  doors: {
    readonly fetch: (request: Request, server: Server<SocketData>) => Promise<Response | undefined>;
    readonly websocket: ReturnType<typeof gateway>['websocket'];
  },
) => {
  const { certificatePem: cert, keyPem: key } = folder.certificates;
  return Bun.serve<SocketData>({
    hostname: config.host,
    port: config.port,
    ...(config.tls === 'off' ? {} : { tls: { cert, key } }),
    // uploads have limits of their own, and are streamed
    maxRequestBodySize: (config.limits['get-mib'] + config.limits['library-mib'] + 1) * MIB,
    idleTimeout: 60,
    development: false,
    fetch: doors.fetch,
    websocket: doors.websocket,
  });
};
