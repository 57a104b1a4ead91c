/** The pages for people who sign in here by themselves. */
import { Refusal } from '@longarm/contract/errors';
import { DEVICE_PATH } from '../auth/grants/start-device-code.ts';
import { type DevicePageIo, devicePage } from './device-page.ts';
import { SET_UP_PATH, type SetUpPageIo, setUpPage } from './set-up-page.ts';

type Connection = { readonly base: string; readonly source: string | null };

/** Null for a path that is no page's. */
export const signInDoor = (io: DevicePageIo & SetUpPageIo) => {
  const pages: Readonly<Record<string, (request: Request, source: string | null) => Promise<Response>>> = {
    [DEVICE_PATH]: devicePage(io),
    [SET_UP_PATH]: setUpPage(io),
  };
  return async (request: Request, path: string, { source }: Connection): Promise<Response | null> => {
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) return null;
    if (request.method !== 'GET' && request.method !== 'POST' && request.method !== 'HEAD')
      throw new Refusal('NotFound', `There is no ${request.method} ${path} here.`);
    return page(request, source);
  };
};
