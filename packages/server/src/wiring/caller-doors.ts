/** The wiring of who may ask: the token endpoints. */
import { randomUUID } from 'node:crypto';
import { tokenDoor } from '../api/token-endpoint.ts';
import { issueToken } from '../auth/issue-token.ts';
import { signInLog } from '../auth/sign-in-log.ts';
import { signInThrottle } from '../auth/sign-in-throttle.ts';
import type { Engine, World } from './engine.ts';

export const callerDoors = ({ store, tally, now }: Engine, { folder }: World) => {
  const throttle = signInThrottle({ now });
  const io = {
    access: store.access,
    credentials: store.credentials,
    key: folder.tokenKey,
    now,
    newId: randomUUID,
    defaultTenant: folder.tenant,
    throttle,
    log: signInLog({ tally, newId: randomUUID }),
  };
  return { tokenDoor: tokenDoor({ issueToken: issueToken(io), newId: randomUUID, now }), forget: throttle.forget };
};
