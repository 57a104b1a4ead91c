/** Colour, where a person looks at a terminal and has not asked for none (https://no-color.org). */
import type { Io } from '../world/io.ts';

export const STYLES = ['plain', 'bold', 'dim', 'good', 'bad', 'busy'] as const;
export type Style = (typeof STYLES)[number];

/** Select Graphic Rendition parameters, ECMA-48 8.3.117. */
const CODES: Readonly<Record<Style, string>> = { plain: '', bold: '1', dim: '2', good: '32', bad: '31', busy: '33' };

export type Paint = (style: Style, text: string) => string;

export const painter = (io: Pick<Io, 'isTty' | 'env'>): Paint => {
  const wanted = io.isTty && (io.env.NO_COLOR ?? '') === '' && io.env.TERM !== 'dumb';
  return (style, text) => (wanted && CODES[style] !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);
};
