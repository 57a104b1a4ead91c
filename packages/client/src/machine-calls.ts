import type { MachineEntity } from '@longarm/contract/machine';
import { ENDPOINTS } from '@longarm/contract/rest/index';
import type { TagRequest } from '@longarm/contract/rest/machines';
import type { Corridor } from './corridor.ts';
import { type CollectionOptions, eachItem } from './pages.ts';

/** Calls about machines. Each throws `ApiFailure`, `Unreachable` or `UnexpectedAnswer`. */
export const machineCalls = (corridor: Corridor) => ({
  listMachines: (query: CollectionOptions = {}): AsyncGenerator<MachineEntity> =>
    eachItem((page) => corridor.sendJson(ENDPOINTS.listMachines, { query: page }), query),
  /** `machine`: an id, a DNS name or an aadDeviceId. */
  getMachine: (machine: string): Promise<MachineEntity> =>
    corridor.sendJson(ENDPOINTS.getMachine, { path: { id: machine } }),
  findMachinesByTag: (tag: string, options: { readonly startsWith?: boolean } = {}): AsyncGenerator<MachineEntity> =>
    eachItem((page) => corridor.sendJson(ENDPOINTS.findMachinesByTag, { query: page }), {
      tag,
      useStartsWithFilter: options.startsWith === true ? 'true' : undefined,
    }),
  /** `timestamp`: ISO 8601; machines that had the address within a quarter of an hour of it. */
  findMachinesByIp: (ip: string, timestamp: string): AsyncGenerator<MachineEntity> =>
    eachItem((page) => corridor.sendJson(ENDPOINTS.findMachinesByIp, { path: { ip, timestamp }, query: page }), {}),
  changeMachineTags: (machine: string, change: TagRequest): Promise<MachineEntity> =>
    corridor.sendJson(ENDPOINTS.changeMachineTags, { path: { id: machine }, json: change }),
});
