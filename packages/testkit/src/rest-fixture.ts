/** A server on loopback that answers what a test says, behind the token endpoint and a check of the bearer. */

/** `GET /api/machines` → answer. The path is as it came, not decoded. */
export type FixtureRoutes = Readonly<
  Record<string, (request: Request, body: Uint8Array) => Response | Promise<Response>>
>;

export type RestFixture = {
  /** `http://127.0.0.1:port/`, or https with TLS. */
  readonly url: string;
  /** `METHOD /path?query`, in order of arrival. */
  readonly requests: readonly string[];
  /** Makes every token issued so far invalid. */
  readonly revokeTokens: () => void;
  readonly stop: () => Promise<void>;
};

export type FixtureOptions = {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Whole seconds that a token is good for. */
  readonly tokenSeconds?: number;
  readonly clientSecret?: string;
};

const contextOf = (what: string): string => `https://fixture.example/api/$metadata#${what}`;

/** A failure as the API writes it. */
export const apiError = (status: number, code: string, message: string): Response =>
  Response.json({ error: { code, message, target: 'b1b7c9a0-0000-4000-8000-000000000001' } }, { status });

/** 429 as the API writes it. */
export const limited = (retryAfter: string): Response => {
  const response = apiError(429, 'TooManyRequests', 'Too many calls.');
  response.headers.set('retry-after', retryAfter);
  return response;
};

export const entityAnswer = (what: string, body: object): Response =>
  Response.json({ '@odata.context': contextOf(`${what}/$entity`), ...body });

export const pageAnswer = (what: string, value: readonly unknown[], nextLink?: string): Response =>
  Response.json({
    '@odata.context': contextOf(what),
    value,
    ...(nextLink === undefined ? {} : { '@odata.nextLink': nextLink }),
  });

const TOKEN_PATH = '/default/oauth2/v2.0/token';

const refusedSecret = (): Response =>
  Response.json({ error: 'invalid_client', error_description: 'The client secret is not valid.' }, { status: 401 });

export const startRestFixture = (routes: FixtureRoutes, options: FixtureOptions = {}): RestFixture => {
  const requests: string[] = [];
  const valid = new Set<string>();
  let issued = 0;
  const issueToken = (form: URLSearchParams): Response => {
    if (form.get('client_secret') !== (options.clientSecret ?? 'correct horse')) return refusedSecret();
    const token = `token-${++issued}`;
    valid.add(token);
    const life = options.tokenSeconds ?? 3600;
    return Response.json({ token_type: 'Bearer', expires_in: life, ext_expires_in: life, access_token: token });
  };
  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    const body = await request.bytes();
    if (url.pathname === TOKEN_PATH) return issueToken(new URLSearchParams(new TextDecoder().decode(body)));
    const bearer = (request.headers.get('authorization') ?? '').replace(/^Bearer /, '');
    if (url.pathname.startsWith('/api/') && !valid.has(bearer)) {
      return apiError(401, 'Unauthorized', 'No valid token.');
    }
    const route = routes[`${request.method} ${url.pathname}`];
    return route === undefined ? apiError(404, 'NotFound', `No route ${url.pathname}.`) : await route(request, body);
  };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    fetch: answer,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${server.port}/`,
    requests,
    revokeTokens: () => valid.clear(),
    stop: () => server.stop(true),
  };
};
