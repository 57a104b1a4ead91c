/** What must hold once faults have stopped and everything has come to rest: rows and devices tell the same story. */

import type { BlobMedium } from './blobs.ts';
import type { Callers } from './callers.ts';
import { commandKey, type SimulatedDevice } from './device.ts';
import { HOSTILE_KEY } from './founding.ts';
import type { Watch } from './invariants.ts';

/** A journal is rewritten when it has grown to 1 MiB; a world writes far less between two rewrites. */
const JOURNAL_BYTES = 2_097_152;
const KEY = /^[0-9a-f-]{36}-[0-9]+-(?:stdout|stderr|file)$/;

export type EndIo = {
  readonly watch: Watch;
  readonly callers: Callers;
  readonly devices: readonly SimulatedDevice[];
  readonly blobs: BlobMedium;
};

/** What a device says of bytes that it had when it wrote down that their command had ended. */
const LOST_RESULT = 'cannot be read on this device any more';

const FINAL = new Set(['Succeeded', 'Failed', 'TimeOut', 'Cancelled']);

/** What is not at rest yet, in a sentence, or null. */
export const unrest = ({ watch, devices }: EndIo): string | null => {
  for (const line of watch.actions().values()) {
    if (!FINAL.has(line.status)) return `${line.id} is ${line.status}`;
    if (line.holds_slot === 1) return `${line.id} is ${line.status} and holds a session`;
  }
  for (const { index, journal, running, isGone } of devices) {
    if (isGone()) continue;
    const [process] = running();
    if (process !== undefined) return `a script of ${process.actionId} runs on device ${index}`;
    const owed = journal()?.owed().length ?? 0;
    if (owed > 0) return `device ${index} owes ${owed} reports`;
    const [unreported] = journal()?.unreported() ?? [];
    if (unreported !== undefined) return `device ${index} has not ended ${unreported}`;
  }
  return null;
};

const checkAgreement = ({ watch, devices }: EndIo) => {
  const honest = [...watch.actions().values()].filter((line) => line.machine_id !== HOSTILE_KEY.machineId);
  for (const command of honest.flatMap(({ id }) => watch.commandsOf(id))) {
    const key = commandKey(command.action_id, command.idx);
    const end = devices.map(({ ends }) => ends.get(key)).find((one) => one !== undefined);
    if (command.status === 'Completed' && (end?.outcome !== 'Completed' || end.exitCode !== command.exit_code))
      watch.violate(
        5,
        `${key} is Completed with ${command.exit_code}, on the device it was ${end?.outcome} with ${end?.exitCode}`,
      );
    if (command.errors.includes(LOST_RESULT)) watch.violate(5, `a result of ${key} was lost by its device`);
  }
  for (const action of watch.actions().values()) {
    const open = watch.commandsOf(action.id).filter((one) => one.status !== 'Completed');
    if ((action.status === 'Succeeded') !== (open.length === 0))
      watch.violate(5, `${action.id} is ${action.status} with ${open.length} commands that are not Completed`);
  }
};

export const checkEnd = (io: EndIo): void => {
  const { watch, callers, devices, blobs } = io;
  for (const actionId of callers.answered)
    if (!watch.actions().has(actionId)) watch.violate(1, `${actionId} was answered and is not there`);
  for (const [key, ids] of callers.byKey)
    if (ids.size > 1) watch.violate(2, `key ${key} was answered with ${ids.size} actions`);
  for (const key of blobs.keys())
    if (!KEY.test(key)) watch.violate(8, `an upload is kept under ${JSON.stringify(key)}`);
  for (const { index, journal, journalBytes, isGone } of devices) {
    const owed = isGone() ? 0 : (journal()?.owed().length ?? 0);
    if (owed > 0) watch.violate(9, `device ${index} still owes ${owed} reports, with nobody in their way`);
    if (journalBytes() > JOURNAL_BYTES) watch.violate(9, `the journal of device ${index} has ${journalBytes()} bytes`);
  }
  const left = unrest(io);
  if (left !== null) watch.violate(3, `it never came to rest: ${left}`);
  checkAgreement(io);
};
