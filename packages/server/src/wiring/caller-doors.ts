/** The wiring of who may ask: the token endpoints, and the pages for people. */
import { randomBytes, randomUUID } from 'node:crypto';
import { discoveryDoor } from '../api/discovery-door.ts';
import { tokenDoor } from '../api/token-endpoint.ts';
import { newAuthorizationCode } from '../auth/grants/authorization-code.ts';
import { startDeviceCode } from '../auth/grants/start-device-code.ts';
import { issueToken } from '../auth/issue-token.ts';
import { checkPerson, checkSecondFactor } from '../auth/people/check-person.ts';
import { factorDesk } from '../auth/people/factor-desk.ts';
import { passwords } from '../auth/people/password.ts';
import { sealedSecrets } from '../auth/people/sealed-secret.ts';
import { setUpPerson } from '../auth/people/set-up-person.ts';
import { signInLog } from '../auth/sign-in-log.ts';
import { signInThrottle } from '../auth/sign-in-throttle.ts';
import { signInDoor } from '../sign-in/sign-in-door.ts';
import type { Engine, World } from './engine.ts';

export const callerDoors = ({ store, tally, now }: Engine, { config, folder }: World) => {
  const throttle = signInThrottle({ now });
  const io = {
    access: store.access,
    credentials: store.credentials,
    people: store.people,
    secondFactors: store.secondFactors,
    secondFactor: config.secondFactor,
    grants: store.grants,
    key: folder.tokenKey,
    passwords: passwords(),
    secrets: sealedSecrets(folder.sealKey),
    now,
    newId: randomUUID,
    randomBytes: (count: number) => new Uint8Array(randomBytes(count)),
    randomText: (bytes: number) => randomBytes(bytes).toString('base64url'),
    defaultTenant: folder.tenant,
    throttle,
    log: signInLog({ tally, newId: randomUUID }),
  };
  const token = tokenDoor({ ...io, issueToken: issueToken(io), startDeviceCode: startDeviceCode(io) });
  const discovery = discoveryDoor({ key: folder.tokenKey, tenant: folder.tenant, access: store.access });
  return {
    tokenDoor: async (...asked: Parameters<typeof token>) =>
      (await token(...asked)) ?? discovery(asked[1], asked[2].base),
    signInDoor: signInDoor({
      ...io,
      checkPerson: checkPerson(io),
      checkSecondFactor: checkSecondFactor(io),
      ...factorDesk(io),
      setUp: setUpPerson(io),
      newAuthorizationCode: newAuthorizationCode(io),
    }),
    forget: throttle.forget,
  };
};
