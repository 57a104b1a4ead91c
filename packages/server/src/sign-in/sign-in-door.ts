/** The pages for people who sign in here by themselves. */
import { Refusal } from '@longarm/contract/errors';
import { DEVICE_PATH } from '../auth/grants/start-device-code.ts';
import { AUTHORIZE_PATH, type AuthorizePageIo, authorizePage } from './authorize-page.ts';
import { type DevicePageIo, devicePage } from './device-page.ts';
import { SECOND_FACTOR_PATH, type SecondFactorPageIo, secondFactorPage } from './second-factor-page.ts';
import { SET_UP_PATH, type SetUpPageIo, setUpPage } from './set-up-page.ts';

type Connection = { readonly base: string; readonly source: string | null };
type Page = (request: Request, source: string | null) => Promise<Response>;

/** Null for a path that is no page's. */
export const signInDoor = (io: DevicePageIo & SetUpPageIo & SecondFactorPageIo & AuthorizePageIo) => {
  const pages = new Map<string, Page>([
    [DEVICE_PATH, devicePage(io)],
    [SET_UP_PATH, setUpPage(io)],
    [SECOND_FACTOR_PATH, secondFactorPage(io)],
  ]);
  const authorize = authorizePage(io);
  const pageOf = (path: string): Page | undefined => {
    const tenant = AUTHORIZE_PATH.exec(path)?.[1];
    return tenant === undefined ? pages.get(path) : (request, source) => authorize(request, tenant, source);
  };
  return async (request: Request, path: string, { source }: Connection): Promise<Response | null> => {
    const page = pageOf(path);
    if (page === undefined) return null;
    if (request.method !== 'GET' && request.method !== 'POST' && request.method !== 'HEAD')
      throw new Refusal('NotFound', `There is no ${request.method} ${path} here.`);
    return page(request, source);
  };
};
