/** The wiring of the replacement of the server's own authority. */
import type { EpochMs } from '@longarm/contract/instant';
import { type RotateAuthority, rotateAuthority } from '../auth/rotate-authority.ts';
import type { DataFolder } from '../data-folder.ts';

type Opened = Pick<DataFolder, 'certificates' | 'store' | 'tenant'>;

export const rotationOf = ({ certificates, store, tenant }: Opened, now: () => EpochMs): RotateAuthority =>
  rotateAuthority({
    certificates,
    machines: store.machines,
    enrolTokens: () => store.access.listEnrolTokens(tenant),
    audit: store.audit,
    tenantId: tenant,
    now,
  });
