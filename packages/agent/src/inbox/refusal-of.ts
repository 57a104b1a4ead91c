/** Why this device will not do what an envelope says, or null. The envelope is signed; this is about its content. */
import { libraryFileOf } from '@longarm/contract/commands/index';
import { fileNameFault } from '@longarm/contract/file-name';
import type { MachineId, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { EnvelopeCommand, EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { EnvelopeCounter } from '../journal/entries.ts';

/** Actions that may wait on a device; a server offers one at a time. */
const WAITING = 32;

export type Bearings = {
  readonly machineId: MachineId;
  readonly tenantId: TenantId;
  /** Server time. */
  readonly now: EpochMs;
  readonly lastCounter: EnvelopeCounter;
  /** Actions that have not ended. */
  readonly waiting: number;
};

const commandFault = ({ command, file }: EnvelopeCommand): string | null => {
  const name = libraryFileOf(command);
  if (name === null) return null;
  if (file === null) return `${JSON.stringify(name)} is to come from the library, and no library file is pinned`;
  return fileNameFault(name);
};

const isNewer = ({ epoch, counter }: EnvelopeCounter, last: EnvelopeCounter): boolean =>
  epoch > last.epoch || (epoch === last.epoch && counter > last.counter);

export const refusalOf = (payload: EnvelopePayload, bearings: Bearings): string | null => {
  if (payload.machineId !== bearings.machineId) return 'the envelope is for another machine';
  if (payload.tenantId !== bearings.tenantId) return 'the envelope is of another tenant';
  if (payload.expiresAt <= bearings.now) return 'the envelope has expired';
  if (!isNewer(payload, bearings.lastCounter))
    return 'the envelope is older than one that this device has taken already';
  if (bearings.waiting >= WAITING) return `${WAITING} actions wait on this device already`;
  return payload.commands.map(commandFault).find((fault) => fault !== null) ?? null;
};
