/** A person's first password: by a secret of the administrator's making, good once and for a few days. */
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PeopleStore, PersonRecord } from '../people-ports.ts';
import { type Passwords, passwordFault } from './password.ts';

type SetUpIo = {
  readonly people: Pick<PeopleStore, 'findSetUp' | 'setUp'>;
  readonly passwords: Passwords;
  readonly now: () => number;
};

const OVER = 'This link is not known, was used, or is over. Ask the administrator for a new one.';

/** Throws OAuthFault with what to say. */
export const setUpPerson =
  (io: SetUpIo) =>
  async (secret: string, password: string): Promise<PersonRecord> => {
    const sha256 = hashSecret(secret);
    const person = await io.people.findSetUp(sha256, io.now());
    if (person === null) throw new OAuthFault('badRequest', OVER);
    const wrong = passwordFault(password, person.name);
    if (wrong !== null) throw new OAuthFault('badRequest', wrong);
    const done = await io.people.setUp(sha256, await io.passwords.hash(password), io.now());
    if (done === null) throw new OAuthFault('badRequest', OVER);
    return done;
  };
