/** An author's public key as one line of text, for a device's policy: `longarm-author1 <key> <name>`. */

const PREFIX = 'longarm-author1';
const LINE = /^longarm-author1 ([A-Za-z0-9_-]{43}) (\S(?:.{0,126}\S)?)$/u;

export type AuthorKey = {
  /** Ed25519, raw, base64url. */
  readonly publicKey: string;
  /** For people, chosen by whoever made the key. */
  readonly name: string;
};

export const authorKeyLine = ({ publicKey, name }: AuthorKey): string => `${PREFIX} ${publicKey} ${name}`;

/** The key of a line, or null when it is none. */
export const readAuthorKeyLine = (line: string): AuthorKey | null => {
  const [, publicKey, name] = LINE.exec(line) ?? [];
  return publicKey === undefined || name === undefined ? null : { publicKey, name };
};
