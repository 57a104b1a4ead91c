/** People of a test: made by the administrator, with a password that they chose on the page. */
import type { AdminAnswer } from '@longarm/contract/admin/operations';
import type { PersonRole } from '@longarm/contract/permission';
import type { Json } from '@longarm/testkit/api-caller';
import type { TestServer } from '@longarm/testkit/test-server';

export const PASSWORD = 'correct horse battery';

export type Told = { readonly status: number; readonly number: number | undefined; readonly json: Json };

/** Asks a token endpoint; the number is that of AADSTS. */
export const askToken = async (
  server: TestServer,
  form: Readonly<Record<string, string>>,
  path = '/default/oauth2/v2.0/token',
): Promise<Told> => {
  const response = await fetch(server.url + path, { method: 'POST', body: new URLSearchParams(form) });
  const json = JSON.parse(await response.text());
  return { status: response.status, number: json.error_codes?.[0], json };
};

/** Sends a form as a browser would; the page that comes back. */
export const submit = async (
  server: TestServer,
  path: string,
  form: Readonly<Record<string, string>>,
  headers = {},
) => {
  const init = { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' as const, headers };
  const response = await fetch(server.url + path, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

export const choosePassword = (server: TestServer, link: AdminAnswer<'createPerson'>, password = PASSWORD) =>
  submit(server, '/sign-in/set-up', { secret: link.secret, password, again: password });

export const newPerson = async (
  server: TestServer,
  name: string,
  { roles = ['LiveResponse.Advanced'] as PersonRole[], deviceGroups = 'all' as 'all' | string[] } = {},
): Promise<string> => {
  const link = await server.admin.call('createPerson', { name, roles, deviceGroups });
  await choosePassword(server, link);
  return name;
};
