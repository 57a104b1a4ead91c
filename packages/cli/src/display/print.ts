/** The two ways in which a command answers: to a person, or to a program with `--json`. */
import type { Io } from '../world/io.ts';
import { padEnd, widthOf } from './measure.ts';
import { painter } from './paint.ts';
import { renderTable, type Table } from './table.ts';
import { visible, visibleJson } from './visible.ts';

export const printLines = (io: Io, lines: readonly string[]): Promise<void> =>
  io.stdout.write(lines.map((line) => `${line}\n`).join(''));

/** One JSON document, on one line, and nothing else; a terminal finds nothing in it to obey. */
export const printJson = (io: Io, document: unknown): Promise<void> =>
  io.stdout.write(`${visibleJson(JSON.stringify(document))}\n`);

/** A table, or the sentence when there are no rows. */
export const printTable = async (io: Io, table: Table, whenEmpty: string): Promise<void> => {
  const lines = table.rows.length === 0 ? [whenEmpty] : renderTable(table, { width: io.columns, paint: painter(io) });
  await printLines(io, lines);
};

/** Name and value, one pair a line; values that are null are left out. */
export const printFacts = async (io: Io, facts: readonly (readonly [string, string | null])[]): Promise<void> => {
  const paint = painter(io);
  const told = facts.flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
  const width = Math.max(...told.map(({ name }) => widthOf(name)));
  const lines = told.map(({ name, value }) => `${paint('dim', padEnd(name, width))}  ${visible(value)}`);
  await printLines(io, lines);
};
