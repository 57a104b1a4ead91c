/** Small pages made on the server: text is escaped, nothing runs, and no other site may frame or post to them. */
import { createHash } from 'node:crypto';

export type Html = { readonly html: string };
type Part = string | number | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const textOf = (part: Part): string => {
  if (typeof part === 'string' || typeof part === 'number')
    return String(part).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  return 'html' in part ? part.html : part.map(({ html }) => html).join('');
};

/** A template: what is put in is escaped, unless it was made here. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: strings.reduce((whole, string, index) => whole + textOf(parts[index - 1] ?? '') + string),
});

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:8vh auto;padding:0 1rem;color:#1a1a1a;background:#fff}' +
  'label{display:block;margin:1rem 0}input{display:block;box-sizing:border-box;width:100%;padding:.6rem;font:inherit}' +
  'button{padding:.6rem 1.2rem;margin-right:.6rem;font:inherit}.fault{color:#a40000}code{word-break:break-all}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export type Page = {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** Where a form of the page may lead besides this server: origins or schemes. */
  readonly formsLeadTo?: string;
};

export const pageAnswer = ({ title, body, status = 200, formsLeadTo = '' }: Page): Response => {
  const document = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${textOf(title)}</title><style>${STYLE}</style></head><body><main><h1>${textOf(title)}</h1>${body.html}</main></body></html>`;
  const policy = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self' ${formsLeadTo}`.trim();
  return new Response(document, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': `${policy}; frame-ancestors 'none'; base-uri 'none'`,
    },
  });
};

/** What went wrong, above a form; nothing without it. */
export const faultLine = (sentence: string | null): Html =>
  sentence === null ? html`` : html`<p class="fault" role="alert">${sentence}</p>`;

/** Name, password and code of whoever signs in, filled in as far as is known. */
export const credentialFields = (name: string): Html => html`
<label>Name <input name="name" value="${name}" autocomplete="username" autocapitalize="none" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label>Code of your authenticator, if you have one <input name="code" inputmode="text" autocomplete="one-time-code"></label>`;
