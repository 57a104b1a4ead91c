/** JSON with its keys, texts and other values told apart by colour. */
import { html } from 'hono/html';
import type { Html } from './schema-view.ts';

const PIECE = /(?<text>"(?:[^"\\]|\\.)*")(?<colon>\s*:)?|(?<literal>-?\d[\d.eE+-]*|true|false|null)/g;

export const jsonView = (value: unknown): Html => {
  const source = JSON.stringify(value, null, 2);
  const parts: (Html | string)[] = [];
  let end = 0;
  for (const match of source.matchAll(PIECE)) {
    const { text, colon, literal } = match.groups ?? {};
    parts.push(source.slice(end, match.index));
    if (text === undefined) parts.push(html`<i class="literal">${literal ?? ''}</i>`);
    else parts.push(html`<i class="${colon === undefined ? 'text' : 'key'}">${text}</i>`, colon ?? '');
    end = match.index + match[0].length;
  }
  return html`<pre tabindex="0"><code>${parts}${source.slice(end)}</code></pre>`;
};
