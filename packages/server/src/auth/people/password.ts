/**
 * Passwords of people: argon2id (RFC 9106), and the same work for somebody who does not exist. At most two are looked
 * at together, and few wait, so that strangers can spend neither the memory nor the processors of the server.
 */
import { OAuthFault } from '../oauth-fault.ts';

/** Characters. There is no list of breached passwords here: length is what is asked for. */
export const PASSWORD_CHARACTERS = { least: 12, most: 256 } as const;

/** OWASP's smallest advice: 19 MiB, two passes. */
const ARGON2 = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
const AT_ONCE = 2;
const WAITING = 50;

export type Passwords = {
  readonly hash: (password: string) => Promise<string>;
  /** With null for nobody: it takes as long, and is never right. Throws OAuthFault (429) when too many wait. */
  readonly isRight: (password: string, hash: string | null) => Promise<boolean>;
};

const turns = () => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING) throw new OAuthFault('tooManyFailures', 'Too many are signing in. Try again.', 1);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
};

export const passwords = (): Passwords => {
  const inTurn = turns();
  let nobody: Promise<string> | null = null;
  const hash = (password: string) => inTurn(() => Bun.password.hash(password.normalize('NFKC'), ARGON2));
  return {
    hash,
    isRight: async (password, known) => {
      nobody ??= Bun.password.hash(crypto.randomUUID(), ARGON2);
      const compared = known ?? (await nobody);
      const cut = password.slice(0, PASSWORD_CHARACTERS.most).normalize('NFKC');
      const isRight = await inTurn(() => Bun.password.verify(cut, compared));
      return isRight && known !== null;
    },
  };
};

/** What is wrong with a new password, as a sentence; null when nothing is. */
export const passwordFault = (password: string, personName: string): string | null => {
  const { least, most } = PASSWORD_CHARACTERS;
  const characters = [...password].length;
  if (characters < least || password.length > most)
    return `Expected a password of ${least} to ${most} characters, got ${characters}.`;
  const name = personName.toLowerCase().split('@')[0] ?? '';
  if (name.length > 3 && password.toLowerCase().includes(name)) return 'The password must not contain your name.';
  return new Set(password).size < 5 ? 'Expected a password of at least five different characters.' : null;
};
