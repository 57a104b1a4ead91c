/** A form that a security key answers: hidden until the script that asks the key is there. */
import type { RelyingParty } from '../auth/people/relying-party.ts';
import { type Html, hiddenFields, html } from './html.ts';

type KeyForm = {
  readonly kind: 'create' | 'get';
  readonly action: string;
  /** As JSON, what the key is asked for. */
  readonly options: object;
  readonly relyingParty: RelyingParty;
  readonly fields: Readonly<Record<string, string>>;
  readonly button: string;
};

export const keyForm = ({ kind, action, options, relyingParty, fields, button }: KeyForm, more: Html = html``): Html =>
  html`
<form method="post" action="${action}" data-key="${kind}" data-origin="${relyingParty.origin}" data-options="${JSON.stringify(options)}" hidden>
${hiddenFields({ ...fields, credential: '' })}${more}
<button>${button}</button>
<p role="status" class="soft"></p></form>
<noscript><p class="soft">Security keys need JavaScript, which is off here.</p></noscript>`;
