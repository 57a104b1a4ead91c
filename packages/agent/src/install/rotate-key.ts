/** `rotate-key`: leaves word in the state folder that another key is wanted. */
import { stateFolder } from '../commands/state-folder.ts';
import { wantKey } from '../identity/key-ring.ts';
import { readState, type StateIo } from './installed-state.ts';

/** Says what happens next. Throws a sentence for a folder that holds no enrolled device, or may not be used. */
export const rotateKey = (io: Pick<StateIo, 'platform'>, path: string): string => {
  const { identity, pid } = readState(io, path);
  if (identity === null)
    throw new Error(`${path}: expected the state folder of an enrolled device, with its identity.json, found none`);
  wantKey(stateFolder(path));
  return pid === null
    ? `another key of machine ${identity.machineId} is wanted: the agent makes it when it runs and is connected`
    : `another key of machine ${identity.machineId} is wanted: the agent (process ${pid}) makes it with its next heartbeat`;
};
