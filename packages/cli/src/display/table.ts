/** Tables for people: as wide as their content, or as the terminal where that is narrower. */
import { padEnd, padStart, truncate, widthOf } from './measure.ts';
import type { Paint, Style } from './paint.ts';
import { visible } from './visible.ts';

export type Column = {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Cut only when every other column is as narrow as it gets: ids, names to be typed again. */
  readonly keep?: boolean;
};

export type Cell = { readonly text: string; readonly style?: Style };

export type Table = { readonly columns: readonly Column[]; readonly rows: readonly (readonly Cell[])[] };

const GAP = '  ';
/** A column is not made narrower than this while another one still can be. */
const NARROW_CELLS = 6;

type Fitted = { width: number; readonly least: number; readonly keep: boolean };

/** Takes cells from the widest column that may still shrink, until the row fits or nothing can shrink. */
const fitWidths = (columns: readonly Fitted[], cells: number): void => {
  let excess = columns.reduce((sum, column) => sum + column.width, 0) - cells;
  for (const kept of [false, true]) {
    while (excess > 0) {
      const candidates = columns.filter((column) => column.keep === kept && column.width > column.least);
      const [widest] = candidates.sort((a, b) => b.width - a.width);
      if (widest === undefined) break;
      widest.width--;
      excess--;
    }
  }
};

const measure = (table: Table, rows: readonly (readonly string[])[]): Fitted[] =>
  table.columns.map((column, at) => {
    const width = Math.max(widthOf(column.title), ...rows.map((row) => widthOf(row[at] ?? '')));
    return { width, least: Math.min(width, NARROW_CELLS), keep: column.keep === true };
  });

/** The lines of the table; every text in it is made visible first. `width`: cells, or Infinity. */
export const renderTable = (table: Table, options: { readonly width: number; readonly paint: Paint }): string[] => {
  const rows = table.rows.map((row) => row.map((cell) => visible(cell.text)));
  const columns = measure(table, rows);
  fitWidths(columns, options.width - GAP.length * (columns.length - 1));
  const line = (texts: readonly string[], style: (at: number) => Style): string =>
    texts
      .map((text, at) => {
        const width = columns[at]?.width ?? 0;
        const cut = truncate(text, width);
        const pad = table.columns[at]?.align === 'right' ? padStart : padEnd;
        return options.paint(style(at), pad(cut, width));
      })
      .join(GAP)
      .trimEnd();
  const title = line(
    table.columns.map((column) => column.title),
    () => 'bold',
  );
  return [title, ...rows.map((row, at) => line(row, (column) => table.rows[at]?.[column]?.style ?? 'plain'))];
};
