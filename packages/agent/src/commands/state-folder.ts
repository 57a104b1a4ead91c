/** Where things lie in the state folder. Names in it are ids, hashes and indexes, never what a caller chose, but for the two that are said to be. */
import { join } from 'node:path';
import type { ActionId, Sha256 } from '@longarm/contract/ids';
import type { ResultStream } from '@longarm/contract/result';

export type StateFolder = {
  readonly keys: string;
  /** See identity/key-ring.ts. */
  readonly nextKey: string;
  readonly keyReceipt: string;
  readonly keyWanted: string;
  readonly identity: string;
  /** What the server handed this device with its last connection. */
  readonly generation: string;
  readonly journal: string;
  /** Holds room on the disk for the journal. */
  readonly journalReserve: string;
  readonly lock: string;
  /** Library scripts by hash; below each hash one file with the script's name (checked by `fileNameFault`). */
  readonly scripts: string;
  readonly scriptFolder: (sha256: Sha256) => string;
  /** Downloads on their way. */
  readonly incoming: string;
  readonly incomingFile: (actionId: ActionId, index: number) => string;
  /** Outputs and copies that are to be uploaded. */
  readonly spool: string;
  readonly spoolFile: (actionId: ActionId, index: number, stream: ResultStream) => string;
  /** Where scripts run and PutFile puts; its files have names that callers chose (checked by `fileNameFault`). */
  readonly workingFolder: string;
  readonly workingFolderManifest: string;
  /** By which bash joins its script's group (platform/linux-cgroup.ts). */
  readonly joinGroup: string;
  /** Options of the last install of the service, for the next one. */
  readonly serviceOptions: string;
};

export const stateFolder = (path: string): StateFolder => ({
  keys: join(path, 'key.pem'),
  nextKey: join(path, 'key.next.pem'),
  keyReceipt: join(path, 'key.receipt'),
  keyWanted: join(path, 'key.wanted'),
  identity: join(path, 'identity.json'),
  generation: join(path, 'generation'),
  journal: join(path, 'journal.log'),
  journalReserve: join(path, 'journal.reserve'),
  lock: join(path, 'agent.lock'),
  scripts: join(path, 'scripts'),
  scriptFolder: (sha256) => join(path, 'scripts', sha256),
  incoming: join(path, 'incoming'),
  incomingFile: (actionId, index) => join(path, 'incoming', `${actionId}-${index}`),
  spool: join(path, 'spool'),
  spoolFile: (actionId, index, stream) => join(path, 'spool', `${actionId}-${index}-${stream}`),
  workingFolder: join(path, 'working-folder'),
  workingFolderManifest: join(path, 'working-folder.json'),
  joinGroup: join(path, 'join-group.sh'),
  serviceOptions: join(path, 'service.json'),
});
