/** Lists of machines as `preparedList` takes them: a row of names for each. */
import type { MachineId } from '@longarm/contract/ids';

export type ListedMachine = { readonly machineId: MachineId };

export const machinesOf = (ids: readonly MachineId[]): readonly ListedMachine[] =>
  ids.map((machineId) => ({ machineId }));

export const idsOf = (machines: readonly ListedMachine[]): readonly MachineId[] =>
  machines.map(({ machineId }) => machineId);
