/** Where a person sees to their second factors: who they are → what they have → what they add to it or take away. */
import type { TenantId } from '@longarm/contract/ids';
import { OAuthFault } from '../auth/oauth-fault.ts';
import { FACTOR_DESK } from '../auth/people/check-person.ts';
import type { Added, AppOffer, DeskStep, FactorDesk } from '../auth/people/factor-desk.ts';
import { askMore, type Connection, readSignIn, type Sent, type SignInIo } from './ask-factor.ts';
import { showDesk, showOffer } from './desk-view.ts';
import { credentialFields, faultLine, html, pageAnswer } from './html.ts';
import { readSubmission } from './read-submission.ts';
import { DESK_FIELD, SECOND_FACTOR_PATH } from './second-factor-path.ts';

type Told = Partial<Added> & {
  readonly fault?: string;
  readonly offer?: AppOffer;
  /** By what was done just now; else by what was before. */
  readonly proven?: DeskStep['proven'];
};

export type SecondFactorPageIo = SignInIo & FactorDesk & { readonly defaultTenant: TenantId };

const PURPOSE = { subject: FACTOR_DESK, page: SECOND_FACTOR_PATH } as const;

const askWho = (name: string, fault: string | null) =>
  pageAnswer({
    title: 'Your second factor',
    body: html`${faultLine(fault)}
<p>With a security key or a code of an app, a stolen password is not enough to be you.</p>
<form method="post" action="${SECOND_FACTOR_PATH}">${credentialFields(name)}<button>Go on</button></form>`,
  });

type Act = (io: SecondFactorPageIo, step: DeskStep, sent: Sent) => Promise<Told>;

const confirm: Act = async (io, step, { submission: { field } }) => {
  const sealed = field('offer');
  try {
    return { ...(await io.confirmApp(step, { sealed, code: field('code') })), proven: 'second factor' };
  } catch (fault) {
    if (!(fault instanceof OAuthFault) || fault.fault !== 'wrongCode') throw fault;
    return { fault: fault.message, offer: io.reofferApp(step, sealed) };
  }
};

const ACTS: Readonly<Record<string, Act>> = {
  show: async () => ({}),
  'offer-app': async (io, step) => ({ offer: io.offerApp(step) }),
  'confirm-app': confirm,
  'add-key': async (io, step, { submission: { field }, connection: { relyingParty } }) => {
    const key = { name: field('key-name'), credential: field('credential'), relyingParty };
    return { ...(await io.addKey(step, key)), proven: 'second factor' };
  },
  'remove-app': async (io, step) => {
    await io.removeFactor(step, { kind: 'app' });
    return {};
  },
  'remove-key': async (io, step, { submission: { field } }) => {
    await io.removeFactor(step, { kind: 'key', id: field('key') });
    return {};
  },
};

const act = async (io: SecondFactorPageIo, step: DeskStep, sent: Sent): Promise<Told> => {
  const name = sent.submission.field('do');
  const known = Object.hasOwn(ACTS, name) ? ACTS[name] : undefined;
  try {
    if (known === undefined) throw new OAuthFault('badRequest', 'Expected a form of this page, got another one.');
    return await known(io, step, sent);
  } catch (fault) {
    if (!(fault instanceof OAuthFault)) throw fault;
    return { fault: fault.message };
  }
};

const atDesk = async (io: SecondFactorPageIo, sent: Sent): Promise<Response> => {
  const step = await io.takeDeskStep(sent.submission.field(DESK_FIELD));
  const told = await act(io, step, sent);
  const desk = await io.openDesk({ ...step, proven: told.proven ?? step.proven });
  const fault = told.fault ?? null;
  if (told.offer !== undefined) return showOffer(desk, told.offer, fault);
  return showDesk(desk, { fault, recoveryCodes: told.recoveryCodes ?? [] }, sent.connection.relyingParty);
};

const signIn = async (io: SecondFactorPageIo, sent: Sent): Promise<Response> => {
  const signedIn = await readSignIn(io, sent, { tenantId: io.defaultTenant, purpose: PURPOSE });
  if (signedIn.kind !== 'done') return askMore(signedIn, { action: SECOND_FACTOR_PATH, fields: {} }, sent.connection);
  const { person, isStrong } = signedIn;
  const desk = await io.openDesk({ person, proven: isStrong ? 'second factor' : 'password', back: null });
  return showDesk(desk, { fault: null, recoveryCodes: [] }, sent.connection.relyingParty);
};

export const secondFactorPage =
  (io: SecondFactorPageIo) =>
  async (request: Request, connection: Connection): Promise<Response> => {
    if (request.method !== 'POST') return askWho('', null);
    const sent = { submission: await readSubmission(request), connection };
    try {
      return await (sent.submission.field(DESK_FIELD) === '' ? signIn(io, sent) : atDesk(io, sent));
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      return askWho(sent.submission.field('name'), fault.message);
    }
  };
