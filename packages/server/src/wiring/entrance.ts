/** The wiring of the way in: a port of this process, or gateway processes that share one. */
import type { Server } from 'bun';
import type { TlsPair } from '../auth/certificates/tls-source.ts';
import type { ServerConfig } from '../config.ts';
import type { SocketData } from '../gateway/arrival.ts';
import type { Gateway } from '../gateway/upgrade.ts';
import { RELAY_ADDRESS_HEADER } from '../relay/pass-on.ts';
import { FILES_BESIDES, openFilesLimit, placesOf } from '../relay/places.ts';
import type { World } from './engine.ts';
import { startGateways } from './gateways.ts';
import { type Doors, LISTENERS, type Listener, listen, maxBodyBytesOf, requireFree } from './listen.ts';

/**
 * Where a request comes from. Behind gateways they say it, over a socket that nobody else can open; on a port of this
 * process nobody can say it but the system.
 */
export const peerAddress =
  ({ gateways }: Pick<ServerConfig, 'gateways'>) =>
  (request: Request, server: Server<SocketData>): string | null =>
    gateways > 0 ? request.headers.get(RELAY_ADDRESS_HEADER) || null : (server.requestIP(request)?.address ?? null);

const count = (value: number): string => value.toLocaleString('en');

/**
 * Says so when fewer devices can be connected than are enrolled. Throws when there is no room for any.
 * `openFiles`: that one process may have; null where the system does not say.
 */
export const capacityFault = (openFiles: number | null, gateways: number, enrolled: number): string | null => {
  const limit = `a process may have ${count(openFiles ?? 0)} files open here (ulimit -n, LimitNOFILE of a systemd unit), ${FILES_BESIDES} of which are not for connections`;
  if (openFiles !== null && openFiles <= FILES_BESIDES)
    throw new Error(`No device could connect: ${limit}. Raise the limit to ${count(2 * FILES_BESIDES)} at least.`);
  const each = placesOf(openFiles);
  const places = each * Math.max(1, gateways);
  if (enrolled <= places) return null;
  return `${count(enrolled)} devices are enrolled, and ${count(places)} can be connected at once: ${limit}. Raise the limit, or start the server with --gateways ${Math.ceil(enrolled / each)}.`;
};

export type Entrance = {
  readonly doors: Doors<SocketData>;
  readonly devices: Gateway;
  readonly pair: TlsPair | null;
  /** Starts the `longarm` program; arguments follow. */
  readonly longarm: readonly string[] | undefined;
};

/** Throws with a sentence when the address cannot be had. */
export const openEntrance = async (world: World, entrance: Entrance): Promise<Listener> => {
  const { config, folder, log } = world;
  const { doors, devices, pair, longarm } = entrance;
  const fault = capacityFault(openFilesLimit(), config.gateways, await folder.store.machineCount());
  if (fault !== null) log.warn(fault);
  if (config.gateways === 0) {
    requireFree(config);
    const { host, port } = config;
    return listen({ host, port, listeners: LISTENERS, maxBodyBytes: maxBodyBytesOf(config) }, pair, doors);
  }
  if (longarm === undefined) throw new Error('gateways need to know how the program is started');
  return startGateways({ world, longarm, doors, devices: devices.events, pair });
};
