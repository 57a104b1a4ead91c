/**
 * Which proofs of a device were shown already: each is good for one request. Bounded: of each device only the newest
 * are remembered one by one, and whatever is not younger than those forgotten is refused.
 */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { TRANSFER_PROOF_AHEAD_MS, TRANSFER_PROOF_MS, type TransferProof } from '@longarm/contract/wire/transfer-proof';

/** Proofs remembered of one device: more than it has on the way at once, and a few KiB. */
export const PROOFS_PER_MACHINE = 256;

type Shown = {
  /** Nonces with their times, in the order in which they came. */
  readonly nonces: Map<string, EpochMs>;
  /** Nothing from this moment or before is taken any more. */
  floor: EpochMs;
  newest: EpochMs;
};

export type ProofWindow = {
  /** True once for a proof whose time is now; false when it is too old, from the future, or was shown before. */
  readonly admit: (machineId: MachineId, proof: Pick<TransferProof, 'at' | 'nonce'>) => boolean;
  /** Lets go of devices that the time alone would refuse. */
  readonly forget: () => void;
};

const remember = (shown: Shown, { at, nonce }: Pick<TransferProof, 'at' | 'nonce'>): void => {
  shown.nonces.set(nonce, at);
  shown.newest = Math.max(shown.newest, at);
  for (const [oldest, moment] of shown.nonces) {
    if (shown.nonces.size <= PROOFS_PER_MACHINE) break;
    shown.nonces.delete(oldest);
    shown.floor = Math.max(shown.floor, moment);
  }
};

export const proofWindow = (io: { readonly now: () => EpochMs }): ProofWindow => {
  // what was shown before this process began is forgotten: so nothing that old is taken
  const startedAt = io.now();
  const machines = new Map<MachineId, Shown>();
  return {
    admit: (machineId, proof) => {
      const now = io.now();
      if (proof.at <= now - TRANSFER_PROOF_MS || proof.at > now + TRANSFER_PROOF_AHEAD_MS) return false;
      const shown = machines.get(machineId) ?? { nonces: new Map(), floor: startedAt, newest: 0 };
      if (proof.at <= shown.floor || shown.nonces.has(proof.nonce)) return false;
      machines.set(machineId, shown);
      remember(shown, proof);
      return true;
    },
    forget: () => {
      const horizon = io.now() - TRANSFER_PROOF_MS;
      for (const [machineId, shown] of machines) if (shown.newest <= horizon) machines.delete(machineId);
    },
  };
};
