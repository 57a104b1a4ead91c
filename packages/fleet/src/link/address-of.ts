/**
 * Where an agent finds the server: agents on the same machine take addresses of loopback in turn, where the server answers at
 * several of them, since each has local ports of its own. `place`: of the agent, from 0.
 */
export const addressOf = (server: string, place: number, addresses: number): string => {
  if (addresses === 1) return server;
  const url = new URL(server);
  if (url.hostname === '127.0.0.1') url.hostname = `127.0.0.${1 + (place % addresses)}`;
  return url.origin;
};
