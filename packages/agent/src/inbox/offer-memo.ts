/**
 * What came with an offer beside its envelope, until its action has ended or the agent stops: library files, and whether
 * the action is traced. None of it is in the journal: what is lost is fetched, or not told.
 */
import type { ActionId, Sha256 } from '@longarm/contract/ids';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';

type Extras = Pick<Extract<FrameToAgent, { type: 'offer' }>, 'files' | 'traceparent'>;

export type OfferMemo = {
  readonly keep: (actionId: ActionId, extras: Extras) => void;
  /** A file as it came: whoever uses it looks at its hash. Null when it did not come. */
  readonly find: (actionId: ActionId, sha256: Sha256) => Uint8Array | null;
  /** The server wants to know what took this device its time. */
  readonly isTraced: (actionId: ActionId) => boolean;
  readonly forget: (actionId: ActionId) => void;
};

export const offerMemo = (): OfferMemo => {
  const kept = new Map<ActionId, Extras>();
  return {
    keep: (actionId, { files, traceparent }) => {
      if (files !== undefined || traceparent !== undefined) kept.set(actionId, { files, traceparent });
    },
    find: (actionId, sha256) => {
      const found = kept.get(actionId)?.files?.find((file) => file.sha256 === sha256);
      return found === undefined ? null : Buffer.from(found.content, 'base64');
    },
    isTraced: (actionId) => kept.get(actionId)?.traceparent !== undefined,
    forget: (actionId) => void kept.delete(actionId),
  };
};
