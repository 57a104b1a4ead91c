/** Where a person gets a second factor: who they are → the secret for their app → a code of it → recovery codes. */

import type { TenantId } from '@longarm/contract/ids';
import { OAuthFault } from '../auth/oauth-fault.ts';
import type { Credentials } from '../auth/people/check-person.ts';
import type { SecondFactorOffer } from '../auth/people/second-factor.ts';
import { credentialFields, faultLine, html, pageAnswer } from './html.ts';
import { readSubmission, type Submission } from './read-submission.ts';

export const SECOND_FACTOR_PATH = '/sign-in/second-factor';

export type SecondFactorPageIo = {
  readonly defaultTenant: TenantId;
  readonly offerSecondFactor: (credentials: Credentials) => Promise<SecondFactorOffer>;
  readonly confirmSecondFactor: (sealed: string, code: string) => Promise<readonly string[]>;
};

const askWho = (name: string, fault: string | null) =>
  pageAnswer({
    title: 'A second factor',
    body: html`${faultLine(fault)}
<form method="post" action="${SECOND_FACTOR_PATH}">${credentialFields(name)}<button>Go on</button></form>`,
  });

const showOffer = ({ secret, uri, sealed }: SecondFactorOffer) =>
  pageAnswer({
    title: 'Add it to your app',
    body: html`<p>Secret, for an authenticator app: <code>${secret}</code></p>
<p>The same as an address that some apps open: <code>${uri}</code></p>
<form method="post" action="${SECOND_FACTOR_PATH}">
<input type="hidden" name="sealed" value="${sealed}">
<label>The code that the app shows now <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
<button>Keep it</button></form>`,
  });

const showCodes = (codes: readonly string[]) =>
  pageAnswer({
    title: 'Done',
    body: html`<p>From now on you are asked for a code. Keep these, each of which is good once in place of one; they are shown this once.</p>
<ul>${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>`,
  });

const answer = async (io: SecondFactorPageIo, { field }: Submission, source: string | null): Promise<Response> => {
  if (field('sealed') !== '') return showCodes(await io.confirmSecondFactor(field('sealed'), field('code')));
  const offer = await io.offerSecondFactor({
    tenantId: io.defaultTenant,
    name: field('name'),
    password: field('password'),
    code: field('code'),
    source,
    purpose: 'second factor',
  });
  return showOffer(offer);
};

export const secondFactorPage =
  (io: SecondFactorPageIo) =>
  async (request: Request, source: string | null): Promise<Response> => {
    if (request.method !== 'POST') return askWho('', null);
    const submission = await readSubmission(request);
    try {
      return await answer(io, submission, source);
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      return askWho(submission.field('name'), fault.message);
    }
  };
