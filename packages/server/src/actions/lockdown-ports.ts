/** What lockdown needs of the store. Each method is one atomic unit of work. */
import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { ActionRecord } from './action-record.ts';

export type LockdownState = { readonly since: EpochMs; readonly actor: string; readonly reason: string };

type By = { readonly tenantId: TenantId; readonly actor: string; readonly now: EpochMs };

export type LockdownStore = {
  /** Null when there is none. */
  readonly state: () => Promise<LockdownState | null>;
  /** From the commit on no request is accepted and nothing is claimed. A lockdown that is on stays as it is: false. */
  readonly lock: (by: By & { readonly reason: string }) => Promise<boolean>;
  /** False when there was none. */
  readonly lift: (by: By) => Promise<boolean>;
  /** Cancels the oldest actions that are not final, at most `limit`; returns them as they are then. */
  readonly cancelUnfinished: (
    by: Omit<By, 'tenantId'> & { readonly comment: string; readonly limit: number },
  ) => Promise<readonly ActionRecord[]>;
};
