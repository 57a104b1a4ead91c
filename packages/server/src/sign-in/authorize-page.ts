/**
 * `/{tenant}/oauth2/authorize` (v1) and `/{tenant}/oauth2/v2.0/authorize`: a person signs in, agrees, and is sent back
 * to the application with a code. A request whose application or address is wrong is sent nowhere.
 */
import type { TenantId } from '@longarm/contract/ids';
import { ApplicationId } from '@longarm/contract/ids';
import type { Scope } from '@longarm/contract/permission';
import type { Authorization } from '../auth/grants/authorization-code.ts';
import { isRegistered, originOf } from '../auth/grants/redirect-uri.ts';
import { grantedScopes } from '../auth/grants/scopes.ts';
import { OAuthFault } from '../auth/oauth-fault.ts';
import type { AccessStore, ApplicationRecord } from '../auth/ports.ts';
import { requireTenant } from '../auth/token-request.ts';
import { askMore, type Connection, readSignIn, type Sent, type SignInIo } from './ask-factor.ts';
import { credentialFields, faultLine, html, pageAnswer } from './html.ts';
import { readSubmission } from './read-submission.ts';

export const AUTHORIZE_PATH = /^\/([^/]+)\/oauth2\/(?:v2\.0\/)?authorize\/?$/i;

export type AuthorizePageIo = SignInIo & {
  readonly access: Pick<AccessStore, 'findApplication'>;
  readonly defaultTenant: TenantId;
  readonly newAuthorizationCode: (authorization: Authorization) => Promise<string>;
};

type Asked = {
  readonly url: URL;
  readonly application: ApplicationRecord;
  readonly redirectUri: string;
  readonly scopes: readonly Scope[];
  readonly challenge: string;
};

const pageOf = (url: URL): string => url.pathname + url.search;

const refused = (sentence: string) =>
  pageAnswer({ title: 'This cannot go on', status: 400, body: html`<p class="fault">${sentence}</p>` });

const backTo = (redirectUri: string, url: URL, answer: Readonly<Record<string, string>>): Response => {
  const target = new URL(redirectUri);
  const state = url.searchParams.get('state');
  for (const [name, value] of Object.entries({ ...answer, ...(state === null ? {} : { state }) }))
    target.searchParams.set(name, value);
  return new Response(null, { status: 302, headers: { Location: target.href, 'Cache-Control': 'no-store' } });
};

const findApplication = async (io: AuthorizePageIo, tenant: string, url: URL): Promise<ApplicationRecord> => {
  const tenantId = requireTenant(tenant, io.defaultTenant);
  const id = ApplicationId.safeParse(url.searchParams.get('client_id')).data;
  const application = id === undefined ? null : await io.access.findApplication(id);
  if (application?.tenantId !== tenantId) throw new OAuthFault('badRequest', 'The application is not known here.');
  return application;
};

/** Throws OAuthFault: what the application may be told. */
const readAsked = (url: URL, application: ApplicationRecord, redirectUri: string): Asked => {
  const parameter = (name: string) => url.searchParams.get(name) ?? '';
  if (!application.grants.includes('authorization_code'))
    throw new OAuthFault('grantNotAllowed', 'The application may not use authorization codes.');
  if (parameter('response_type') !== 'code' || !['', 'query'].includes(parameter('response_mode')))
    throw new OAuthFault('badRequest', 'Expected the response_type code, and the response_mode query.');
  const challenge = parameter('code_challenge');
  if (challenge === '' ? application.isNative : parameter('code_challenge_method') !== 'S256')
    throw new OAuthFault('badRequest', 'Expected a code_challenge with the code_challenge_method S256.');
  const form = new Map([['scope', parameter('scope')]]);
  return { url, application, redirectUri, challenge, scopes: grantedScopes({ form }, application.scopes) };
};

const askWho = ({ url, application, redirectUri, scopes }: Asked, name: string, fault: string | null) =>
  pageAnswer({
    title: 'Sign in',
    formsLeadTo: originOf(redirectUri),
    body: html`${faultLine(fault)}
<p><strong>${application.name}</strong> asks to act as you: ${scopes.join(', ')}. You are sent to ${originOf(redirectUri)} then.</p>
<form method="post" action="${pageOf(url)}">
${credentialFields(name)}
<button name="answer" value="allow">Allow</button><button name="answer" value="deny" class="plain" formnovalidate>Deny</button></form>`,
  });

const decide = async (io: AuthorizePageIo, asked: Asked, sent: Sent): Promise<Response> => {
  const { url, application, redirectUri, scopes, challenge } = asked;
  const { field } = sent.submission;
  if (field('answer') === 'deny')
    return backTo(redirectUri, url, { error: 'access_denied', error_description: 'The person declined.' });
  try {
    const purpose = { subject: 'authorization_code', page: pageOf(url) };
    const signIn = await readSignIn(io, sent, { tenantId: application.tenantId, purpose });
    if (signIn.kind !== 'done') {
      const form = { action: pageOf(url), fields: { answer: 'allow' }, formsLeadTo: originOf(redirectUri) };
      return askMore(signIn, form, sent.connection);
    }
    const { person, isStrong } = signIn;
    const delegation = { applicationId: application.id, personId: person.id, scopes, isStrong };
    return backTo(redirectUri, url, {
      code: await io.newAuthorizationCode({ ...delegation, redirectUri, challenge }),
    });
  } catch (fault) {
    if (!(fault instanceof OAuthFault)) throw fault;
    return askWho(asked, field('name'), fault.message);
  }
};

export const authorizePage =
  (io: AuthorizePageIo) =>
  async (request: Request, tenant: string, connection: Connection): Promise<Response> => {
    const url = new URL(request.url);
    const redirectUri = url.searchParams.get('redirect_uri') ?? '';
    try {
      const application = await findApplication(io, tenant, url);
      if (!isRegistered(application.redirectUris, redirectUri))
        return refused('The address to be sent back to (redirect_uri) is not registered for this application.');
      try {
        const asked = readAsked(url, application, redirectUri);
        if (request.method !== 'POST') return askWho(asked, url.searchParams.get('login_hint') ?? '', null);
        return await decide(io, asked, { submission: await readSubmission(request), connection });
      } catch (fault) {
        if (!(fault instanceof OAuthFault)) throw fault;
        return backTo(redirectUri, url, { error: fault.row.error, error_description: fault.message });
      }
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      return refused(fault.message);
    }
  };
