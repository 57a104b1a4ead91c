/** What each frame of a device leads to. */
import type { MachineId, Sha256 } from '@longarm/contract/ids';
import type { Output } from '@longarm/contract/wire/live-output';
import type { FrameToServer } from '@longarm/contract/wire/to-server';
import type { DeviceBudgets } from '../limits/device-budget.ts';
import { onReports, type ReportsIo } from './on-reports.ts';
import type { RenewKey } from './renew-key.ts';
import { type FrameHandlers, refuse, type Session, type SingleFrame } from './session.ts';

type OnFrameIo = ReportsIo & {
  readonly prove: (session: Session, frame: Extract<FrameToServer, { type: 'prove' }>) => Promise<void>;
  /** A piece of live output: a hint, passed on and forgotten. False for one that nobody asked for. */
  readonly onOutput: (machineId: MachineId, frame: Output) => boolean;
  readonly budgets: Pick<DeviceBudgets, 'giveBack'>;
  /** The device has the token of its connection on its disk. */
  readonly generationKept: (machineId: MachineId, generation: string) => Promise<void>;
  readonly keys: RenewKey;
  /** The device believes these authorities from now on. */
  readonly trusts: (machineId: MachineId, trusted: readonly Sha256[]) => Promise<void>;
};

/** What was asked for is bounded by whoever asked. */
const onOutput = (
  io: OnFrameIo,
  session: Session,
  output: { readonly machineId: MachineId; readonly frame: Output; readonly size: number },
): void => {
  if (io.onOutput(output.machineId, output.frame)) io.budgets.giveBack(session, output.size);
};

/** Said once; a second time it says nothing new. */
const onGenerationKept = async (io: OnFrameIo, session: Session): Promise<void> => {
  const { machineId, generation, phase } = session;
  if (phase !== 'connected' || machineId === null)
    return refuse(session, { code: 'bad-turn', reason: 'expected a proof before anything is kept' });
  session.generation = null;
  if (generation !== null) await io.generationKept(machineId, generation);
};

const onTrustKept = async (io: OnFrameIo, session: Session, trusted: readonly Sha256[]): Promise<void> => {
  const { machineId, phase } = session;
  if (phase !== 'connected' || machineId === null)
    return refuse(session, { code: 'bad-turn', reason: 'expected a proof before any trust' });
  await io.trusts(machineId, trusted);
};

const onSingle =
  (io: OnFrameIo) =>
  async (session: Session, frame: SingleFrame, size: number): Promise<void> => {
    switch (frame.type) {
      // whoever never proves itself would otherwise hold a connection for ever
      case 'heartbeat':
        return refuse(session, { code: 'bad-turn', reason: 'expected a proof before any heartbeat' });
      case 'prove':
        return session.phase === 'awaiting-proof'
          ? io.prove(session, frame)
          : refuse(session, { code: 'bad-turn', reason: 'expected one proof, got another' });
      case 'generation-kept':
        return onGenerationKept(io, session);
      case 'key-wanted':
        return io.keys.wanted(session);
      case 'new-key':
        return io.keys.claimed(session, frame);
      case 'trust-kept':
        return onTrustKept(io, session, frame.trusted);
      case 'output':
        return session.phase === 'connected' && session.machineId !== null
          ? onOutput(io, session, { machineId: session.machineId, frame, size })
          : refuse(session, { code: 'bad-turn', reason: 'expected a proof before any output' });
    }
  };

export const onFrame = (io: OnFrameIo): FrameHandlers => ({ frame: onSingle(io), reports: onReports(io) });
