/** Why a server cannot be reached, where the socket does not say: asked again by plain HTTP, whose faults have names. */
import { faultCode } from '@longarm/contract/system-fault';

const ASK_MS = 5_000;

const sentenceFor = (fault: unknown, url: URL): string | null => {
  switch (faultCode(fault)) {
    case 'ENOTFOUND':
      return `the name ${url.hostname} does not resolve`;
    case 'ECONNREFUSED':
      return `nobody listens at ${url.host}`;
    case null:
      return null;
    default:
      return `${url.host}: ${fault instanceof Error ? fault.message : String(fault)}`;
  }
};

/** Null when there is nothing more to say. Never rejects. */
export const diagnose = async (
  request: (path: string, init: RequestInit) => Promise<Response>,
  serverUrl: string,
): Promise<string | null> => {
  try {
    const answer = await request('/', { signal: AbortSignal.timeout(ASK_MS) });
    await answer.body?.cancel();
    return null;
  } catch (fault) {
    return sentenceFor(fault, new URL(serverUrl));
  }
};
