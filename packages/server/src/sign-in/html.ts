/**
 * Small pages made on the server: text is escaped, nothing runs but the one script for security keys on the pages that
 * use them, and no other site may frame or post to them.
 */
import { createHash } from 'node:crypto';
import { KEY_SCRIPT_INTEGRITY, KEY_SCRIPT_PATH } from './key-script.ts';

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

const STYLE = [
  ':root{color-scheme:light dark;--text:#1b1f24;--back:#fff;--soft:#57606a;--line:#8c959f;--tint:#f3f5f7;--act:#0b57b0;--on-act:#fff;--wrong:#a40000}',
  '@media(prefers-color-scheme:dark){:root{--text:#e6e9ec;--back:#15181c;--soft:#a7b0ba;--line:#6b7681;--tint:#20252b;--act:#8ab8ff;--on-act:#0b1420;--wrong:#ff9b93}}',
  'body{font:16px/1.5 system-ui,sans-serif;margin:0;color:var(--text);background:var(--back)}',
  'main{max-width:30rem;margin:0 auto;padding:6vh 1.25rem 3rem}',
  'h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1.1rem;margin:2.5rem 0 .5rem}p{margin:.75rem 0}',
  'label{display:block;margin:1rem 0;font-weight:600}label small{font-weight:400;color:var(--soft)}',
  'input{display:block;box-sizing:border-box;width:100%;margin-top:.3rem;padding:.6rem .7rem;font:inherit;color:inherit;background:var(--back);border:1px solid var(--line);border-radius:6px}',
  'button,.button{display:inline-block;padding:.6rem 1.2rem;margin:.25rem .6rem .25rem 0;font:inherit;font-weight:600;text-decoration:none;color:var(--on-act);background:var(--act);border:1px solid var(--act);border-radius:6px;cursor:pointer}',
  'button.plain{color:var(--act);background:none}button:disabled{opacity:.5;cursor:default}',
  ':focus-visible{outline:3px solid var(--act);outline-offset:2px}a{color:var(--act)}a.button{color:var(--on-act)}',
  '.fault{color:var(--wrong);font-weight:600}.soft{color:var(--soft)}strong,code,td{overflow-wrap:anywhere}',
  '.notice{margin:1.5rem 0;padding:.25rem 1.25rem 1rem;background:var(--tint);border-radius:8px}.notice h2{margin-top:1rem}',
  '.codes{display:grid;grid-template-columns:repeat(2,auto);justify-content:start;gap:.25rem 2.5rem;list-style:none;padding:0;margin:0}',
  'code{font:15px/1.5 ui-monospace,monospace}.rows{list-style:none;margin:0;padding:0}.rows li{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:center;justify-content:space-between;padding:.5rem 0;border-top:1px solid var(--line)}',
  '.rows button{padding:.35rem .8rem;margin:0}.rows span{flex:1 1 7rem;overflow-wrap:anywhere}.rows small{display:block;color:var(--soft)}details{margin:1.5rem 0}summary{cursor:pointer;color:var(--act)}',
].join('');
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export type Page = {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** Where a form of the page may lead besides this server: origins or schemes. */
  readonly formsLeadTo?: string;
  /** The page has a form for security keys, and so the one script of ours. */
  readonly usesKeys?: boolean;
};

const SCRIPT = `<script src="${KEY_SCRIPT_PATH}" integrity="${KEY_SCRIPT_INTEGRITY}" defer></script>`;

const policyOf = ({ formsLeadTo = '', usesKeys = false }: Page): string =>
  [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    ...(usesKeys ? ["script-src 'self'"] : []),
    `form-action 'self' ${formsLeadTo}`.trim(),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');

export const pageAnswer = (page: Page): Response => {
  const { title, body, status = 200, usesKeys = false } = page;
  const document = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${textOf(title)}</title><style>${STYLE}</style>${usesKeys ? SCRIPT : ''}</head><body><main><h1>${textOf(title)}</h1>${body.html}</main></body></html>`;
  return new Response(document, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': policyOf(page),
    },
  });
};

/** What went wrong, above a form; nothing without it. */
export const faultLine = (sentence: string | null): Html =>
  sentence === null ? html`` : html`<p class="fault" role="alert">${sentence}</p>`;

/** Name and password of whoever signs in, filled in as far as is known. */
export const credentialFields = (name: string): Html => html`
<label>Name <input name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>`;

/** What a form carries along. */
export const hiddenFields = (fields: Readonly<Record<string, string>>): Html =>
  html`${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
