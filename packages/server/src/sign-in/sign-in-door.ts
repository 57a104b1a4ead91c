/** The pages for people who sign in here by themselves. */
import { Refusal } from '@longarm/contract/errors';
import { DEVICE_PATH } from '../auth/grants/start-device-code.ts';
import { relyingPartyOf } from '../auth/people/relying-party.ts';
import type { Connection } from './ask-factor.ts';
import { AUTHORIZE_PATH, type AuthorizePageIo, authorizePage } from './authorize-page.ts';
import { type DevicePageIo, devicePage } from './device-page.ts';
import { KEY_SCRIPT_PATH, keyScript } from './key-script.ts';
import { type SecondFactorPageIo, secondFactorPage } from './second-factor-page.ts';
import { SECOND_FACTOR_PATH } from './second-factor-path.ts';
import { SET_UP_PATH, type SetUpPageIo, setUpPage } from './set-up-page.ts';

type Page = (request: Request, connection: Connection) => Promise<Response>;

/** Null for a path that is no page's. `base`: the server's own address, which no header of a request has a say in. */
export const signInDoor = (io: DevicePageIo & SetUpPageIo & SecondFactorPageIo & AuthorizePageIo) => {
  const pages = new Map<string, Page>([
    [DEVICE_PATH, devicePage(io)],
    [SET_UP_PATH, setUpPage(io)],
    [SECOND_FACTOR_PATH, secondFactorPage(io)],
    [KEY_SCRIPT_PATH, async () => keyScript()],
  ]);
  const authorize = authorizePage(io);
  const pageOf = (path: string): Page | undefined => {
    const tenant = AUTHORIZE_PATH.exec(path)?.[1];
    return tenant === undefined ? pages.get(path) : (request, connection) => authorize(request, tenant, connection);
  };
  return async (
    request: Request,
    path: string,
    { base, source }: { readonly base: string; readonly source: string | null },
  ): Promise<Response | null> => {
    const page = pageOf(path);
    if (page === undefined) return null;
    if (request.method !== 'GET' && request.method !== 'POST' && request.method !== 'HEAD')
      throw new Refusal('NotFound', `There is no ${request.method} ${path} here.`);
    return page(request, { source, relyingParty: relyingPartyOf(base) });
  };
};
