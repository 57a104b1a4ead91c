/** The proof that goes with each request of a transfer: that this device holds its key, now, for this request. */
import { createHash } from 'node:crypto';
import type { EpochMs } from '@longarm/contract/instant';
import { formatTransferProof, type TransferClaim, transferProofText } from '@longarm/contract/wire/transfer-proof';
import type { Identity } from './identity-file.ts';
import type { DeviceKeys } from './keys.ts';

export type ProvenRequest = Pick<TransferClaim, 'method' | 'path' | 'place'> & { readonly ticket: string };

/** The text of the header. */
export type ProveTransfer = (request: ProvenRequest) => string;

type ProverIo = {
  readonly identity: Pick<Identity, 'machineId' | 'audience'>;
  readonly keys: Pick<DeviceKeys, 'sign'>;
  /** Server time. */
  readonly now: () => EpochMs;
  /** Another text each time: 16 to 64 characters of base64url. */
  readonly newNonce: () => string;
};

export const transferProver =
  ({ identity, keys, now, newNonce }: ProverIo): ProveTransfer =>
  ({ ticket, ...request }) => {
    const { audience, machineId } = identity;
    const fresh = { at: now(), nonce: newNonce() };
    const ticketSha256 = createHash('sha256').update(ticket).digest('base64url');
    const signature = keys.sign(transferProofText({ audience, machineId, ticketSha256, ...request, ...fresh }));
    return formatTransferProof({ ...fresh, signature });
  };
