/** Where a person chooses a password, by the link that the administrator handed over. The link is good once. */
import { OAuthFault } from '../auth/oauth-fault.ts';
import { PASSWORD_CHARACTERS } from '../auth/people/password.ts';
import type { PersonRecord } from '../auth/people-ports.ts';
import { faultLine, hiddenFields, html, pageAnswer } from './html.ts';
import { readSubmission } from './read-submission.ts';
import { SECOND_FACTOR_PATH } from './second-factor-path.ts';

export const SET_UP_PATH = '/sign-in/set-up';

export type SetUpPageIo = {
  readonly setUp: (secret: string, password: string) => Promise<PersonRecord>;
};

const form = (secret: string, fault: string | null) =>
  pageAnswer({
    title: 'Choose a password',
    body: html`${faultLine(fault)}
<form method="post" action="${SET_UP_PATH}">
${hiddenFields({ secret })}
<label>Password <small>${PASSWORD_CHARACTERS.least} characters or more</small> <input name="password" type="password" autocomplete="new-password" required></label>
<label>The same again <input name="again" type="password" autocomplete="new-password" required></label>
<button>Keep it</button></form>`,
  });

export const setUpPage =
  (io: SetUpPageIo) =>
  async (request: Request): Promise<Response> => {
    if (request.method !== 'POST') return form(new URL(request.url).searchParams.get('secret') ?? '', null);
    const { field } = await readSubmission(request);
    if (field('password') !== field('again')) return form(field('secret'), 'The two passwords are not the same.');
    try {
      const person = await io.setUp(field('secret'), field('password'));
      return pageAnswer({
        title: 'Done',
        body: html`<p>${person.name} can sign in now.</p>
<p><a href="${SECOND_FACTOR_PATH}">Set up a second factor</a>, so that a stolen password is not enough to be you.</p>`,
      });
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      return form(field('secret'), fault.message);
    }
  };
