/** Where a person lets a device in: the code that it shows → which application, and what for → who they are. */
import type { TenantId } from '@longarm/contract/ids';
import type { DeviceCodeRecord, GrantStore } from '../auth/grant-ports.ts';
import { DEVICE_PATH, readUserCode } from '../auth/grants/start-device-code.ts';
import { OAuthFault } from '../auth/oauth-fault.ts';
import type { CheckedPerson, Credentials } from '../auth/people/check-person.ts';
import type { AccessStore, ApplicationRecord } from '../auth/ports.ts';
import type { SignInThrottle } from '../auth/sign-in-throttle.ts';
import { credentialFields, faultLine, html, pageAnswer } from './html.ts';
import { readSubmission, type Submission } from './read-submission.ts';

export type DevicePageIo = {
  readonly access: Pick<AccessStore, 'findApplication'>;
  readonly grants: Pick<GrantStore, 'findUserCode' | 'decideDeviceCode'>;
  readonly checkPerson: (credentials: Credentials) => Promise<CheckedPerson>;
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
<input type="hidden" name="user_code" value="${code.userCode}">
${credentialFields(name)}
<button name="answer" value="allow">Allow</button><button name="answer" value="deny">Deny</button></form>`,
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

const decide = async (io: DevicePageIo, asked: Asked, { submission, source }: Sent): Promise<Response> => {
  const tenantId: TenantId = asked.application.tenantId;
  const { person, isStrong } = await io.checkPerson({
    tenantId,
    name: submission.field('name'),
    password: submission.field('password'),
    code: submission.field('code'),
    source,
    purpose: 'device_code',
  });
  const isAllowed = submission.field('answer') === 'allow';
  const decision = { personId: person.id, isStrong, isAllowed };
  if (!(await io.grants.decideDeviceCode(asked.code.userCode, decision, io.now())))
    return over('Too late', 'The code is over. Start again on the device.');
  return isAllowed
    ? over('Done', 'The device is let in. You can close this page.')
    : over('Denied', 'The device is not let in. You can close this page.');
};

type Sent = { readonly submission: Submission; readonly source: string | null };

const UNKNOWN = 'This code is not known, or is over. Look at the device again.';

const onGet = async (io: DevicePageIo, url: URL, source: string | null): Promise<Response> => {
  const text = url.searchParams.get('user_code');
  if (text === null) return askForCode(null);
  const asked = await findAsked(io, text, source);
  return asked === null ? askForCode(UNKNOWN) : askWho(asked, '', null);
};

const onPost = async (io: DevicePageIo, sent: Sent): Promise<Response> => {
  const asked = await findAsked(io, sent.submission.field('user_code'), sent.source);
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
  async (request: Request, source: string | null): Promise<Response> => {
    try {
      if (request.method !== 'POST') return await onGet(io, new URL(request.url), source);
      return await onPost(io, { submission: await readSubmission(request), source });
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      return askForCode(fault.message);
    }
  };
