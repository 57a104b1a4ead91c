/** The page of somebody's second factors: what they have, what may be added, and codes that are shown once. */
import { formatInstant } from '@longarm/contract/instant';
import type { Added, AppOffer, Desk } from '../auth/people/factor-desk.ts';
import type { RelyingParty } from '../auth/people/relying-party.ts';
import { creationOptions } from '../auth/people/security-key.ts';
import type { SecurityKeyRecord } from '../auth/second-factor-ports.ts';
import { faultLine, type Html, hiddenFields, html, pageAnswer } from './html.ts';
import { keyForm } from './key-form.ts';
import { DESK_FIELD, SECOND_FACTOR_PATH } from './second-factor-path.ts';

const day = (moment: number): string => formatInstant(moment).slice(0, 10);

const hidden = (desk: Desk, act: string, more: Readonly<Record<string, string>> = {}) => ({
  [DESK_FIELD]: desk.step.sealed,
  do: act,
  ...more,
});

type Button = { readonly label: string; readonly says?: string; readonly isPlain?: boolean };

/** `says`: what a screen reader says, where the label alone leaves open which. */
const oneButton = (fields: Readonly<Record<string, string>>, { label, says = label, isPlain = false }: Button): Html =>
  html`<form method="post" action="${SECOND_FACTOR_PATH}">${hiddenFields(fields)}<button aria-label="${says}" class="${isPlain ? 'plain' : ''}">${label}</button></form>`;

const codesPart = (codes: readonly string[]): Html =>
  codes.length === 0
    ? html``
    : html`<section class="notice"><h2>Keep these recovery codes</h2>
<p>Each is good once in place of your key or app, should you lose it. They are shown this once; any from before are over.</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul></section>`;

const keyRow = (desk: Desk, { id, name, createdAt, lastUsedAt }: SecurityKeyRecord): Html => {
  const used = lastUsedAt === null ? 'not used yet' : `last used ${day(lastUsedAt)}`;
  return html`<li><span>${name} <small>added ${day(createdAt)}, ${used}</small></span>${oneButton(
    hidden(desk, 'remove-key', { key: id }),
    { label: 'Remove', says: `Remove ${name}`, isPlain: true },
  )}</li>`;
};

const addKeyPart = (desk: Desk, relyingParty: RelyingParty | string): Html => {
  if (typeof relyingParty === 'string') return html`<p class="soft">${relyingParty}</p>`;
  const { person, keys, step } = desk;
  return keyForm(
    {
      kind: 'create',
      action: SECOND_FACTOR_PATH,
      options: creationOptions({ relyingParty, keys, challenge: step.challenge }, person),
      relyingParty,
      fields: hidden(desk, 'add-key'),
      button: 'Add a security key',
    },
    html`<label>Name of the key <small>so that you know it again</small> <input name="key-name" maxlength="60" autocomplete="off"></label>`,
  );
};

const keysPart = (desk: Desk, relyingParty: RelyingParty | string): Html => html`<h2>Security keys and passkeys</h2>
<ul class="rows">${desk.keys.map((key) => keyRow(desk, key))}</ul>
${addKeyPart(desk, relyingParty)}`;

const appPart = (desk: Desk): Html => {
  const offer = hidden(desk, 'offer-app');
  if (!desk.hasApp)
    return html`<h2>Authenticator app</h2><p class="soft">An app on your phone that shows a new code every 30 seconds.</p>${oneButton(offer, { label: 'Add an app' })}`;
  return html`<h2>Authenticator app</h2><ul class="rows"><li><span>It is set up.</span>${oneButton(offer, { label: 'Replace', says: 'Replace the authenticator app', isPlain: true })}${oneButton(
    hidden(desk, 'remove-app'),
    { label: 'Remove', says: 'Remove the authenticator app', isPlain: true },
  )}</li></ul>`;
};

const stateLine = ({ hasApp, keys, keepsOne }: Desk): Html => {
  if (hasApp || keys.length > 0) return html`<p>It is asked for whenever you sign in.</p>`;
  if (keepsOne)
    return html`<p>Your administrator asks for one. Add a security key or an app: you cannot sign in before.</p>`;
  return html`<p>You have none yet. With one, a stolen password is not enough to be you.</p>`;
};

const backPart = ({ hasApp, keys, back }: Desk): Html =>
  back === null || (!hasApp && keys.length === 0)
    ? html``
    : html`<p><a class="button" href="${back}">Go on signing in</a></p>`;

type Told = Added & { readonly fault: string | null };

export const showDesk = (desk: Desk, { fault, recoveryCodes }: Told, relyingParty: RelyingParty | string): Response =>
  pageAnswer({
    title: 'Your second factor',
    usesKeys: typeof relyingParty !== 'string',
    body: html`${faultLine(fault)}<p class="soft">Signed in as <strong>${desk.person.name}</strong>, for this page alone.</p>
${stateLine(desk)}${codesPart(recoveryCodes)}${backPart(desk)}${keysPart(desk, relyingParty)}${appPart(desk)}`,
  });

/** In fours, as people read it to themselves. */
const inFours = (secret: string): string => secret.match(/.{1,4}/g)?.join(' ') ?? '';

export const showOffer = (desk: Desk, { secret, uri, sealed }: AppOffer, fault: string | null): Response =>
  pageAnswer({
    title: 'Add it to your app',
    body: html`${faultLine(fault)}
<p>In your authenticator app, add an account by hand: the name is <strong>${desk.person.name}</strong>, and the key is</p>
<p class="notice"><code>${inFours(secret)}</code></p>
<p>It goes by time, with six digits. On the phone itself, <a href="${uri}">open it in the app</a>.</p>
<form method="post" action="${SECOND_FACTOR_PATH}">${hiddenFields(hidden(desk, 'confirm-app', { offer: sealed }))}
<label>The code that the app shows now <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
<button>Keep it</button></form>`,
  });
