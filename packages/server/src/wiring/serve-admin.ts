/** The wiring of the local admin socket. */
import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN_SOCKET_NAME } from '@longarm/contract/admin/operations';
import { adminHandler } from '../admin/admin-door.ts';
import { adminOperations } from '../admin/answer-operation.ts';
import type { FaultLog } from '../http/error-answer.ts';
import type { AgentShelf } from '../installer/agent-shelf.ts';
import type { Authority } from './certificates.ts';
import { decideEnrolmentOf, wantKeyOf } from './decide-enrolment.ts';
import type { Engine, World } from './engine.ts';
import { lockdownOf } from './lockdown.ts';
import { rotationOf } from './rotation.ts';

type Served = {
  /** The address that callers use. */
  readonly url: string;
  /** What enrolment tokens name. */
  readonly authority: Authority | null;
  readonly shelf: AgentShelf;
  readonly onFault: FaultLog;
};

export const serveAdmin = async (
  engine: Engine,
  { folder, config }: World,
  { url, shelf, onFault, authority }: Served,
) => {
  const path = join(folder.path, ADMIN_SOCKET_NAME);
  // one that a killed server left behind; the folder's lock says that nobody serves it
  await rm(path, { force: true });
  const operations = adminOperations({
    access: engine.store.access,
    credentials: engine.store.credentials,
    people: engine.store.people,
    secondFactor: config.secondFactor,
    issuers: engine.store.issuers,
    lockdown: lockdownOf(engine),
    decideEnrolment: decideEnrolmentOf(engine),
    wantKey: wantKeyOf(engine),
    audit: engine.store.audit,
    actions: engine.store.actions,
    machines: engine.store.machines,
    groups: engine.store.groups,
    tenant: folder.tenant,
    now: engine.now,
    randomText: (bytes) => randomBytes(bytes).toString('base64url'),
    newId: randomUUID,
    authorities: () => authority?.fingerprints() ?? [],
    restored: async () => void (await folder.certificates.announceAnew()),
    rotation: config.tls === 'own' ? rotationOf(folder, engine.now) : null,
    describeServer: async () => ({
      url,
      caPem: authority?.caPem() ?? null,
      targets: (await shelf.all()).map(({ target }) => target),
    }),
  });
  const umask = process.umask(0o177);
  try {
    return Bun.serve({ unix: path, fetch: adminHandler(operations, onFault) });
  } finally {
    process.umask(umask);
  }
};
