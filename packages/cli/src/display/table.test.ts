import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { widthOf } from './measure.ts';
import { renderTable, type Table } from './table.ts';

const plain = { paint: (_: string, text: string) => text };

const table: Table = {
  columns: [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'ID', keep: true }],
  rows: [
    [{ text: 'a long name of a machine' }, { text: '7 B' }, { text: '1234567890' }],
    [{ text: '日本' }, { text: '12 KiB' }, { text: '12' }],
  ],
};

test('columns are as wide as their content, wide characters counted as two cells', () => {
  expect(renderTable(table, { width: Number.POSITIVE_INFINITY, ...plain })).toEqual([
    'NAME                        SIZE  ID',
    'a long name of a machine     7 B  1234567890',
    '日本                      12 KiB  12',
  ]);
});

test('where the terminal is narrower, the widest column gives way, and what is to be kept does not', () => {
  expect(renderTable(table, { width: 30, ...plain })).toEqual([
    'NAME          SIZE  ID',
    'a long na…     7 B  1234567890',
    '日本        12 KiB  12',
  ]);
});

test('no line is wider than the terminal while columns can still give way', () => {
  const anyText = fc.string({ unit: 'grapheme', maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.tuple(anyText, anyText, anyText)), fc.integer({ min: 22, max: 80 }), (texts, width) => {
      const rows = texts.map((row) => row.map((text) => ({ text })));
      for (const line of renderTable({ ...table, rows }, { width, ...plain })) {
        expect(widthOf(line)).toBeLessThanOrEqual(width);
      }
    }),
  );
});

test('a name that would colour, move or break the line is shown', () => {
  const rows = [[{ text: '\u001b[31mroot\nx' }, { text: '' }, { text: '' }]];
  const [, line] = renderTable({ ...table, rows }, { width: 80, ...plain });
  expect(line).toBe('\\x1b[31mroot\\x0ax');
});
