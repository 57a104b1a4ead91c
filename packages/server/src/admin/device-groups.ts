/** Device groups: made, changed and filled by the local administrator. */
import { Refusal } from '@longarm/contract/errors';
import type { TenantId } from '@longarm/contract/ids';
import { formatInstant } from '@longarm/contract/instant';
import { wholeTenant } from '../audit/reach.ts';
import { findMachine } from '../machines/find-machine.ts';
import type { DeviceGroup, GroupStore, MachineStore } from '../machines/ports.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';

type GroupsIo = {
  readonly groups: GroupStore;
  readonly machines: Pick<MachineStore, 'resolve'>;
  readonly tenant: TenantId;
  readonly now: () => number;
};

const unknownGroup = (name: string) =>
  new Refusal('ResourceNotFound', `There is no device group ${JSON.stringify(name)}. See \`longarm group list\`.`);

/** Throws ResourceNotFound. */
export const requireGroup = async (io: Pick<GroupsIo, 'groups' | 'tenant'>, name: string): Promise<DeviceGroup> => {
  const group = await io.groups.find(io.tenant, name);
  if (group === null) throw unknownGroup(name);
  return group;
};

const inUse = (name: string) =>
  new Refusal(
    'BadRequest',
    `The device group ${JSON.stringify(name)} is in use: move its machines (\`longarm machines group MACHINE --none\`) and revoke the enrolment tokens that give it, then delete it.`,
  );

type GroupOperations = Pick<
  AdminOperations,
  'createDeviceGroup' | 'listDeviceGroups' | 'changeDeviceGroup' | 'deleteDeviceGroup' | 'moveMachine'
>;

export const deviceGroups = (io: GroupsIo): GroupOperations => {
  const change = () => ({ tenantId: io.tenant, actor: ACTOR, now: io.now() });
  return {
    createDeviceGroup: async (group) => {
      const added = await io.groups.add({ ...change(), ...group });
      if (added === null)
        throw new Refusal('BadRequest', `There is a device group ${JSON.stringify(group.name)} already.`);
      return { id: added.id };
    },
    listDeviceGroups: async () => ({
      groups: (await io.groups.list(io.tenant)).map(({ createdAt, ...group }) => ({
        ...group,
        createdDateTimeUtc: formatInstant(createdAt),
      })),
    }),
    changeDeviceGroup: async ({ name, liveResponse, approval }) => {
      const settings = {
        ...(liveResponse === undefined ? {} : { liveResponse }),
        ...(approval === undefined ? {} : { approval }),
      };
      const changed = await io.groups.change({ ...change(), name, settings });
      if (changed === null) throw unknownGroup(name);
      return { liveResponse: changed.liveResponse, approval: changed.approval };
    },
    deleteDeviceGroup: async ({ name }) => {
      const outcome = await io.groups.remove({ ...change(), name });
      if (outcome === 'in-use') throw inUse(name);
      return { deleted: outcome === 'removed' };
    },
    moveMachine: async ({ machine: text, group: name }) => {
      const group = name === null ? null : await requireGroup(io, name);
      const machine = await findMachine(io)(wholeTenant(io.tenant), text);
      await io.groups.move({ ...change(), machineId: machine.id, groupId: group?.id ?? null });
      return { machineId: machine.id, group: group?.name ?? null };
    },
  };
};
