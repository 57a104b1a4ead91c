import { ApplicationId } from '@longarm/contract/ids';
import { usageFault } from '../faults/cli-fault.ts';

/** Throws a usage fault for what is no client id. */
export const readClientId = (text: string): ApplicationId => {
  const clientId = ApplicationId.safeParse(text).data;
  if (clientId === undefined) throw usageFault(`Expected a client id, a GUID, got ${JSON.stringify(text)}.`);
  return clientId;
};
