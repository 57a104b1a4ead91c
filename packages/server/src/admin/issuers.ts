/** Other issuers, made known and forgotten by the local administrator. */
import { Refusal } from '@longarm/contract/errors';
import { formatInstant } from '@longarm/contract/instant';
import type { IssuerStore } from '../auth/issuer-ports.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';
import type { ApplicationsIo } from './applications.ts';
import { requireGroup } from './device-groups.ts';

export type IssuersIo = Pick<ApplicationsIo, 'tenant' | 'now' | 'newId' | 'groups'> & { readonly issuers: IssuerStore };

export const issuers = (io: IssuersIo): Pick<AdminOperations, 'addIssuer' | 'listIssuers' | 'removeIssuer'> => {
  const change = () => ({ tenantId: io.tenant, actor: ACTOR, now: io.now() });
  return {
    addIssuer: async (settings) => {
      for (const group of Object.values(settings.groupMap)) await requireGroup(io, group);
      const id = io.newId();
      if (!(await io.issuers.addIssuer({ ...settings, id, tenantId: io.tenant, createdAt: io.now() }, change())))
        throw new Refusal('BadRequest', `The issuer ${settings.url} is known already. Remove it first to change it.`);
      return { id };
    },
    listIssuers: async () => ({
      issuers: (await io.issuers.listIssuers(io.tenant)).map(({ tenantId: _, createdAt, ...issuer }) => ({
        ...issuer,
        createdDateTimeUtc: formatInstant(createdAt),
      })),
    }),
    removeIssuer: async ({ url }) => ({ removed: await io.issuers.removeIssuer(url, change()) }),
  };
};
