/** An author with a key, who signs library files as the command line does. */
import { createHash } from 'node:crypto';
import { newAuthorKey, openAuthorKey } from '@longarm/cli/signing/author-key-file';
import { type Claim, signClaim } from '@longarm/cli/signing/sign-claim';
import { Sha256 } from '@longarm/contract/ids';

export type Author = {
  /** The line for a device's policy. */
  readonly publicLine: string;
  /** Signs for RunScript with any arguments on any machine, for ever, but for the changes. */
  readonly sign: (name: string, content: string, changes?: Partial<Claim>) => string;
};

export const newAuthor = async (name = 'Ann Author'): Promise<Author> => {
  const { text, publicLine } = newAuthorKey(name, null);
  const key = await openAuthorKey(text, () => Promise.reject(new Error('the key is not sealed')));
  return {
    publicLine,
    sign: (fileName, content, changes = {}) =>
      signClaim(key, {
        fileName,
        sha256: Sha256.parse(createHash('sha256').update(content).digest('hex')),
        sizeBytes: Buffer.byteLength(content),
        uses: ['RunScript'],
        arguments: 'any',
        machines: 'any',
        notBefore: 0,
        expiresAt: null,
        ...changes,
      }),
  };
};
