import { html } from 'hono/html';
import type { Html } from './schema-view.ts';

/** Text in which what stands between backticks is shown as code. */
export const withCode = (text: string): readonly (Html | string)[] =>
  text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
