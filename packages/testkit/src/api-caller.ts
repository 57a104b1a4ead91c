/** Calls of the REST API as a client of the original makes them: raw requests, raw answers. */
import type { AdminDoor } from '@longarm/contract/admin/operations';
import type { Role } from '@longarm/contract/permission';

/** A JSON body as a test looks into it. */
export type Json = ReturnType<typeof JSON.parse>;

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: Json };

export type CallOptions = {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type ApiCaller = {
  readonly token: string;
  readonly call: (path: string, options?: CallOptions) => Promise<Answer>;
  readonly post: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly upload: (
    name: string,
    content: string | Uint8Array,
    fields?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
  /** Downloads the result of a command through its signed link. */
  readonly download: (actionId: string, index: number, suffix?: string) => Promise<Response>;
};

const ALL_ROLES: readonly Role[] = [
  'Machine.LiveResponse',
  'Machine.ReadWrite.All',
  'Machine.Read.All',
  'Library.Manage',
];

type Body = NonNullable<RequestInit['body']>;

const bodyOf = (body: unknown): Body | undefined => {
  if (body === undefined) return undefined;
  if (typeof body === 'string' || body instanceof FormData || body instanceof Uint8Array) return body;
  return JSON.stringify(body);
};

const answerOf = async (response: Response): Promise<Answer> => {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
};

export type Transport = (url: string, init: RequestInit) => Promise<Response>;

const fetchToken = async (
  server: string,
  transport: Transport,
  application: { readonly clientId: string; readonly clientSecret: string },
): Promise<string> => {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: application.clientId,
    client_secret: application.clientSecret,
    scope: 'https://api.securitycenter.microsoft.com/.default',
  });
  const response = await transport(`${server}/default/oauth2/v2.0/token`, { method: 'POST', body: form });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
};

/** A new application with these roles, and its calls. */
export const apiCaller = async (at: {
  readonly server: string;
  readonly admin: AdminDoor;
  readonly name?: string;
  readonly roles?: readonly Role[];
  readonly transport?: Transport;
}): Promise<ApiCaller> => {
  const transport = at.transport ?? fetch;
  const application = await at.admin.call('createApplication', {
    name: at.name ?? 'analyst@example.org',
    roles: [...(at.roles ?? ALL_ROLES)],
  });
  const token = await fetchToken(at.server, transport, application);
  const call: ApiCaller['call'] = async (path, options = {}) => {
    const body = bodyOf(options.body);
    const response = await transport(at.server + path, {
      method: options.method ?? 'GET',
      headers: { authorization: `Bearer ${token}`, ...options.headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    return answerOf(response);
  };
  return {
    token,
    call,
    post: (path, body, headers = {}) => call(path, { method: 'POST', body, headers }),
    upload: (name, content, fields = {}) => {
      const form = new FormData();
      form.append('file', new File([content], name));
      for (const [key, value] of Object.entries(fields)) form.append(key, value);
      return call('/api/libraryfiles', { method: 'POST', body: form });
    },
    download: async (actionId, index, suffix = '') => {
      const { json, status, text } = await call(
        `/api/machineactions/${actionId}/GetLiveResponseResultDownloadLink(index=${index})`,
      );
      if (status !== 200) throw new Error(`link: ${status} ${text}`);
      return transport(json.value + suffix, {});
    },
  };
};
