/** Library files that came with an offer, until their action has ended or the agent stops: what is lost is fetched. */
import type { ActionId, Sha256 } from '@longarm/contract/ids';
import type { InlineFile } from '@longarm/contract/wire/to-agent';

export type BroughtFiles = {
  readonly keep: (actionId: ActionId, files: readonly InlineFile[]) => void;
  /** As they came: whoever uses one looks at its hash. Null when it did not come. */
  readonly find: (actionId: ActionId, sha256: Sha256) => Uint8Array | null;
  readonly forget: (actionId: ActionId) => void;
};

export const broughtFiles = (): BroughtFiles => {
  const kept = new Map<ActionId, readonly InlineFile[]>();
  return {
    keep: (actionId, files) => {
      if (files.length > 0) kept.set(actionId, files);
    },
    find: (actionId, sha256) => {
      const found = kept.get(actionId)?.find((file) => file.sha256 === sha256);
      return found === undefined ? null : Buffer.from(found.content, 'base64');
    },
    forget: (actionId) => void kept.delete(actionId),
  };
};
