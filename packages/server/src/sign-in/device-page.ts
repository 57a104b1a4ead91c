/** Where a person lets a device in: the code that it shows → which application, and what for → who they are. */
import type { TenantId } from '@longarm/contract/ids';
import type { DeviceCodeRecord, GrantStore } from '../auth/grant-ports.ts';
import { DEVICE_PATH, readUserCode } from '../auth/grants/start-device-code.ts';
import { OAuthFault } from '../auth/oauth-fault.ts';
import type { SignIn } from '../auth/people/check-person.ts';
import type { AccessStore, ApplicationRecord } from '../auth/ports.ts';
import type { SignInThrottle } from '../auth/sign-in-throttle.ts';
import { askMore, type Connection, readSignIn, type Sent, type SignInIo } from './ask-factor.ts';
import { credentialFields, faultLine, hiddenFields, html, pageAnswer } from './html.ts';
import { readSubmission } from './read-submission.ts';

export type DevicePageIo = SignInIo & {
  readonly access: Pick<AccessStore, 'findApplication'>;
  readonly grants: Pick<GrantStore, 'findUserCode' | 'decideDeviceCode'>;
  readonly throttle: SignInThrottle;
  readonly now: () => number;
};

type Asked = { readonly code: DeviceCodeRecord; readonly application: ApplicationRecord };

const askForCode = (fault: string | null) =>
  pageAnswer({
    title: 'Sign in on a device',
    body: html`${faultLine(fault)}
<form method="get" action="${DEVICE_PATH}">
<label>The code that the device shows <input name="user_code" autocomplete="off" required></label>
<button>Go on</button></form>`,
  });

const askWho = ({ code, application }: Asked, name: string, fault: string | null) =>
  pageAnswer({
    title: 'Let the device in?',
    body: html`${faultLine(fault)}
<p><strong>${application.name}</strong> on the device that shows <strong>${code.userCode}</strong> asks to act as you: ${code.scopes.join(', ')}.</p>
<p>Go on only if you started this yourself, just now. Nobody else has a reason to send you this code.</p>
<form method="post" action="${DEVICE_PATH}">
${hiddenFields({ user_code: code.userCode })}${credentialFields(name)}
<button name="answer" value="allow">Allow</button><button name="answer" value="deny" class="plain">Deny</button></form>`,
  });

const over = (title: string, sentence: string) => pageAnswer({ title, body: html`<p>${sentence}</p>` });

/** A guess at codes is slowed down as one at passwords is. */
const findAsked = async (io: DevicePageIo, text: string, source: string | null): Promise<Asked | null> => {
  const attempt = { kind: 'person', account: 'device codes', source } as const;
  io.throttle.require(attempt);
  const userCode = readUserCode(text);
  const code = userCode === null ? null : await io.grants.findUserCode(userCode, io.now());
  const application = code === null ? null : await io.access.findApplication(code.applicationId);
  if (code !== null && application !== null) return { code, application };
  io.throttle.failed(attempt);
  return null;
};

const purposeOf = ({ code }: Asked) => ({
  subject: 'device_code',
  page: `${DEVICE_PATH}?user_code=${code.userCode}`,
});

const OVER = ['Too late', 'The code is over. Start again on the device.'] as const;

/** A password is enough to keep a device out. */
const deny = async (io: DevicePageIo, { code }: Asked, signIn: SignIn): Promise<Response> => {
  const { person } = signIn.kind === 'factor' ? signIn.asked : signIn;
  const decision = { personId: person.id, isStrong: false, isAllowed: false };
  const isDecided = await io.grants.decideDeviceCode(code.userCode, decision, io.now());
  return isDecided ? over('Denied', 'The device is not let in. You can close this page.') : over(...OVER);
};

const decide = async (io: DevicePageIo, asked: Asked, sent: Sent): Promise<Response> => {
  const tenantId: TenantId = asked.application.tenantId;
  const signIn = await readSignIn(io, sent, { tenantId, purpose: purposeOf(asked) });
  const { userCode } = asked.code;
  if (sent.submission.field('answer') !== 'allow') return deny(io, asked, signIn);
  if (signIn.kind !== 'done') {
    const fields = { user_code: userCode, answer: 'allow' };
    return askMore(signIn, { action: DEVICE_PATH, fields }, sent.connection);
  }
  const decision = { personId: signIn.person.id, isStrong: signIn.isStrong, isAllowed: true };
  const isDecided = await io.grants.decideDeviceCode(userCode, decision, io.now());
  return isDecided ? over('Done', 'The device is let in. You can close this page.') : over(...OVER);
};

const UNKNOWN = 'This code is not known, or is over. Look at the device again.';

const onGet = async (io: DevicePageIo, url: URL, source: string | null): Promise<Response> => {
  const text = url.searchParams.get('user_code');
  if (text === null) return askForCode(null);
  const asked = await findAsked(io, text, source);
  return asked === null ? askForCode(UNKNOWN) : askWho(asked, '', null);
};

const onPost = async (io: DevicePageIo, sent: Sent): Promise<Response> => {
  const asked = await findAsked(io, sent.submission.field('user_code'), sent.connection.source);
  if (asked === null) return askForCode(UNKNOWN);
  try {
    return await decide(io, asked, sent);
  } catch (fault) {
    if (!(fault instanceof OAuthFault)) throw fault;
    return askWho(asked, sent.submission.field('name'), fault.message);
  }
};

export const devicePage =
  (io: DevicePageIo) =>
  async (request: Request, connection: Connection): Promise<Response> => {
    try {
      if (request.method !== 'POST') return await onGet(io, new URL(request.url), connection.source);
      return await onPost(io, { submission: await readSubmission(request), connection });
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      return askForCode(fault.message);
    }
  };
