/** What the pages that sign somebody in share: who they are, and what is asked of them after the password. */
import type { TenantId } from '@longarm/contract/ids';
import type { FactorAnswer } from '../auth/people/check-factor.ts';
import type { AskedFactor, Credentials, Purpose, SignIn } from '../auth/people/check-person.ts';
import type { RelyingParty } from '../auth/people/relying-party.ts';
import { requestOptions } from '../auth/people/security-key.ts';
import { faultLine, type Html, hiddenFields, html, pageAnswer } from './html.ts';
import { keyForm } from './key-form.ts';
import type { Submission } from './read-submission.ts';
import { DESK_FIELD, SECOND_FACTOR_PATH } from './second-factor-path.ts';

export type SignInIo = {
  readonly checkPerson: (credentials: Credentials) => Promise<SignIn>;
  readonly checkSecondFactor: (
    sealed: string,
    answer: FactorAnswer,
    asking: { readonly purpose: Purpose; readonly source: string | null },
  ) => Promise<SignIn>;
};

/** Where a request came from, and whose security keys are. */
export type Connection = { readonly source: string | null; readonly relyingParty: RelyingParty | string };

export type Sent = { readonly submission: Submission; readonly connection: Connection };

/** The form of the password, or the one that followed it. Throws OAuthFault. */
export const readSignIn = (
  io: SignInIo,
  { submission: { field }, connection: { source, relyingParty } }: Sent,
  { tenantId, purpose }: { readonly tenantId: TenantId; readonly purpose: Purpose },
): Promise<SignIn> => {
  if (field('step') === '')
    return io.checkPerson({ tenantId, name: field('name'), password: field('password'), source, purpose });
  const answer = { code: field('code'), credential: field('credential'), relyingParty };
  return io.checkSecondFactor(field('step'), answer, { purpose, source });
};

type Form = {
  /** Where the answer is sent. */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly formsLeadTo?: string;
};

const codeForm = (asked: AskedFactor, { action, fields }: Form): Html => {
  const label = asked.hasApp ? 'Code of your authenticator app' : 'Recovery code';
  const hint = asked.hasApp ? html` <small>or a recovery code</small>` : html``;
  const form = html`<form method="post" action="${action}">${hiddenFields({ ...fields, step: asked.step.sealed })}
<label>${label}${hint} <input name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required></label>
<button>Go on</button></form>`;
  return asked.hasApp ? form : html`<details><summary>Use a recovery code instead</summary>${form}</details>`;
};

const keyPart = (asked: AskedFactor, { action, fields }: Form, relyingParty: RelyingParty | string): Html => {
  if (asked.keys.length === 0) return html``;
  if (typeof relyingParty === 'string') return html`<p class="soft">${relyingParty}</p>`;
  const { sealed, challenge } = asked.step;
  return keyForm({
    kind: 'get',
    action,
    options: requestOptions({ relyingParty, keys: asked.keys, challenge }),
    relyingParty,
    fields: { ...fields, step: sealed },
    button: 'Use a security key',
  });
};

const askFactor = (asked: AskedFactor, form: Form, relyingParty: RelyingParty | string): Response =>
  pageAnswer({
    title: 'Your second factor',
    usesKeys: asked.keys.length > 0 && typeof relyingParty !== 'string',
    ...(form.formsLeadTo === undefined ? {} : { formsLeadTo: form.formsLeadTo }),
    body: html`${faultLine(asked.fault)}
<p>You are signing in as <strong>${asked.person.name}</strong>. The password is right; one more step.</p>
${keyPart(asked, form, relyingParty)}${codeForm(asked, form)}`,
  });

const askToEnrol = (sealed: string): Response =>
  pageAnswer({
    title: 'Set up a second factor first',
    body: html`<p>Your administrator asks for a second factor: a security key, or a code of an app on your phone. You have none yet, and cannot sign in without.</p>
<form method="post" action="${SECOND_FACTOR_PATH}">${hiddenFields({ [DESK_FIELD]: sealed, do: 'show' })}<button>Set it up</button></form>`,
  });

/** The page for whoever is not in yet. */
export const askMore = (
  signIn: Exclude<SignIn, { readonly kind: 'done' }>,
  form: Form,
  { relyingParty }: Connection,
): Response => (signIn.kind === 'enrol' ? askToEnrol(signIn.step.sealed) : askFactor(signIn.asked, form, relyingParty));
