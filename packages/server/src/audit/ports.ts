/** Who acts, as requests and the audit know them. */
import type { ApplicationId } from '@longarm/contract/ids';
import type { Claimant } from '@longarm/contract/permission';
import type { Reach } from './reach.ts';

export type Caller = Reach &
  Claimant & {
    /** Counts as one caller for rates and idempotency: the application's id, or the person through an application. */
    readonly subject: string;
    /** Stable over renames, and over the applications that a person uses. */
    readonly principal: string;
    readonly applicationId: ApplicationId;
    /** How the caller is called in `requestor`, and in the audit. */
    readonly name: string;
  };
