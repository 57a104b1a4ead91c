/** The way to a data folder for the command line: the running server's socket, or the folder itself. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ADMIN_SOCKET_NAME, type AdminDoor } from '@longarm/contract/admin/operations';
import { Refusal } from '@longarm/contract/errors';
import { lockdown } from './actions/lock-down.ts';
import { directDoor, socketDoor } from './admin/admin-door.ts';
import { adminOperations } from './admin/answer-operation.ts';
import { FolderLocked, openDataFolder, serverNames } from './data-folder.ts';
import { decideEnrolment } from './machines/decide-enrolment.ts';
import { wantKey } from './machines/want-key.ts';
import { rotationOf } from './wiring/rotation.ts';

/** Envelopes are signed by a running server only; nothing is claimed through this door. */
const NO_TERMS = { maxGetBytes: 1, maxOutputBytes: 1, stopOnNonzeroExit: false };

/** No device is connected and nobody waits; devices hear of it when a server lets them in. */
const NOBODY = {
  link: { cancel: () => false },
  hints: { actionChanged: () => undefined, sessionEnded: () => undefined, wake: () => undefined },
  dismissMachine: () => undefined,
  askForKey: () => false,
};

const openFolder = async (path: string): Promise<AdminDoor> => {
  const now = () => Date.now();
  const folder = await openDataFolder({ path, now, terms: NO_TERMS, names: serverNames('localhost', null) });
  const operations = adminOperations({
    access: folder.store.access,
    credentials: folder.store.credentials,
    people: folder.store.people,
    secondFactor: 'optional',
    issuers: folder.store.issuers,
    lockdown: lockdown({ lockdown: folder.store.lockdown, ...NOBODY, clock: { now } }),
    decideEnrolment: decideEnrolment({ machines: folder.store.machines, ...NOBODY, clock: { now } }),
    wantKey: wantKey({ machines: folder.store.machines, ...NOBODY, clock: { now } }),
    audit: folder.store.audit,
    actions: folder.store.actions,
    machines: folder.store.machines,
    groups: folder.store.groups,
    tenant: folder.tenant,
    now,
    randomText: (bytes) => randomBytes(bytes).toString('base64url'),
    newId: randomUUID,
    authorities: () => folder.certificates.current().fingerprints,
    restored: async () => void (await folder.certificates.announceAnew()),
    rotation: rotationOf(folder, now),
    // nobody listens, so there is no address
    describeServer: async () => ({ url: null, caPem: folder.certificates.current().caPem, targets: [] }),
  });
  return directDoor(operations, folder.close);
};

/** True when a server answers there; a socket that a killed server left behind does not. */
const isServed = async (socket: string): Promise<boolean> => {
  try {
    await fetch('http://localhost/', { method: 'POST', body: '{}', unix: socket });
    return true;
  } catch {
    return false;
  }
};

/** Throws Refusal with a sentence when another process holds the folder and does not answer. */
export const openAdmin = async (dataFolder: string): Promise<AdminDoor> => {
  const socket = join(dataFolder, ADMIN_SOCKET_NAME);
  if (await isServed(socket)) return socketDoor(socket);
  try {
    return await openFolder(dataFolder);
  } catch (fault) {
    if (!(fault instanceof FolderLocked)) throw fault;
    // a server that was just starting has its socket by now
    if (await isServed(socket)) return socketDoor(socket);
    throw new Refusal('BadRequest', `${fault.message} Try again in a moment.`);
  }
};
