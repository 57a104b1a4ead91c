/** `/openapi.json`, its reference page at `/docs`, and whether the server is up at `/health`. No token needed. */
import { type OpenApiOptions, openApiDocument } from '@longarm/contract/openapi';
import { jsonAnswer } from '../http/json-answer.ts';
import { referencePage } from './reference-page.ts';

export const referenceDoor =
  (io: Pick<OpenApiOptions, 'runAcceptedStatus'>) =>
  async (path: string, base: string): Promise<Response | null> => {
    if (path === '/health') return jsonAnswer({ status: 'ok' });
    if (path === '/openapi.json') return jsonAnswer(openApiDocument({ ...io, serverUrl: base }));
    if (path === '/') return new Response(null, { status: 302, headers: { Location: '/docs' } });
    if (path !== '/docs') return null;
    const page = await referencePage(openApiDocument({ ...io, serverUrl: base }));
    return new Response(page.html, {
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': page.contentSecurityPolicy },
    });
  };
