/** Calls of the API, begun by the clock and not by answers, while something else goes on. */
import { fetchTrust, readToken } from '@longarm/fleet/identity/server-trust';
import type { OwnServer } from '@longarm/fleet/target/own-server';
import { openAccess } from '@longarm/fleet/target/request-runs';

const CALLS_PER_SECOND = 20;

/** Calls until it is stopped; gives milliseconds of each that was answered, and how many were not. */
export const callApi = async (server: OwnServer) => {
  const trust = await fetchTrust(server.url, readToken(server.token));
  const client = server.client ?? { id: '', secret: '' };
  const headers = await openAccess({ server: server.url, trust, client });
  const took: number[] = [];
  const faults: string[] = [];
  const paths = ['/api/machineactions?$top=1', '/api/machines?$top=1'];
  const call = async (path: string) => {
    const start = performance.now();
    try {
      const answer = await fetch(server.url + path, { headers, ...trust });
      await answer.body?.cancel();
      if (answer.ok) took.push(performance.now() - start);
      else faults.push(`HTTP ${answer.status}`);
    } catch (fault) {
      faults.push(fault instanceof Error ? fault.message : String(fault));
    }
  };
  let count = 0;
  const timer = setInterval(() => void call(paths[count++ % paths.length] ?? ''), 1_000 / CALLS_PER_SECOND);
  return { took, faults, stop: () => clearInterval(timer) };
};
