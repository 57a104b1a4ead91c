/** Sign-ins and refused ones, for the audit's tally. Names are as they were given, and never what was secret. */
import type { TenantId } from '@longarm/contract/ids';
import type { Origin } from '../audit/ports.ts';
import type { OAuthFault } from './oauth-fault.ts';

export type SignInLog = {
  /** Somebody proved to be somebody. */
  readonly issued: (signIn: {
    readonly tenantId: TenantId;
    readonly name: string;
    /** How: a grant, or what a person signed in to. */
    readonly subject: string;
    readonly address: string | null;
  }) => void;
  readonly refused: (
    attempt: { readonly subject: string; readonly about: string; readonly address: string | null },
    fault: OAuthFault,
  ) => void;
};

/** What of the audit's tally is used here. */
type Tally = {
  readonly count: (happening: {
    readonly event: 'sign-in.issued' | 'sign-in.refused';
    readonly by: { readonly tenantId: TenantId; readonly name: string } | null;
    readonly subject: string;
    readonly code: string;
    readonly origin: Origin;
    readonly about?: string;
  }) => void;
};

export const signInLog = (io: { readonly tally: Tally; readonly newId: () => string }): SignInLog => ({
  issued: ({ tenantId, name, subject, address }) =>
    io.tally.count({
      event: 'sign-in.issued',
      by: { tenantId, name },
      subject,
      code: 'ok',
      origin: { address, requestId: io.newId() },
    }),
  refused: ({ subject, about, address }, fault) =>
    io.tally.count({
      event: 'sign-in.refused',
      by: null,
      subject,
      code: `${fault.row.error} ${fault.row.number}`,
      about,
      origin: { address, requestId: io.newId() },
    }),
});
