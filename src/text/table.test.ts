import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableData, printableLine, printableLines } from './printable.ts';
import { type Column, renderTable, shorten } from './table.ts';

interface Row {
  readonly id: string;
  readonly count: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id, shrinkTo: 6 },
  { title: 'COUNT', cell: ({ count }) => String(count), right: true },
  { title: 'NOTE', cell: ({ note }) => note, drop: 1 },
  { title: 'MORE', cell: () => 'more', wide: true },
];
const ROWS = [
  { id: '/a', count: 5, note: 'short' },
  { id: '/some/long/id', count: 1000, note: 'a longer note' },
];

describe('renderTable', () => {
  it('aligns columns, and numbers at the right', () => {
    expect(renderTable(COLUMNS, ROWS, { width: undefined, wide: false })).toBe(
      'ID             COUNT  NOTE\n/a                 5  short\n/some/long/id   1000  a longer note',
    );
  });

  it('shortens columns, and leaves out others, to fit the width', () => {
    expect(renderTable(COLUMNS, ROWS, { width: 30, wide: false })).toBe(
      'ID        COUNT  NOTE\n/a            5  short\n/som…/id   1000  a longer note',
    );
    expect(renderTable(COLUMNS, ROWS, { width: 16, wide: false })).toBe(
      'ID         COUNT\n/a             5\n/som…g/id   1000',
    );
  });

  it('leaves out a column without content before it shortens another one', () => {
    const rows = ROWS.map((row) => ({ ...row, note: '-' }));
    expect(renderTable(COLUMNS, rows, { width: undefined, wide: false })).toContain('NOTE');
    expect(renderTable(COLUMNS, rows, { width: 22, wide: false })).toBe(
      'ID             COUNT\n/a                 5\n/some/long/id   1000',
    );
  });

  it('shows all columns with wide', () => {
    expect(renderTable(COLUMNS, ROWS.slice(0, 1), { width: undefined, wide: true })).toBe(
      'ID  COUNT  NOTE   MORE\n/a      5  short  more',
    );
  });

  it('has no line that is wider than the terminal, and one line for each row', () => {
    const row = fc.record({ id: fc.string({ maxLength: 60 }), count: fc.nat(), note: fc.string() });
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 1, max: 200 }), fc.boolean(), (rows, width, wide) => {
        const lines = renderTable(COLUMNS, rows, { width, wide }).split('\n');
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});

it('shortens a text in its middle', () => {
  expect([shorten('abcdefgh', 5), shorten('abc', 3), shorten('abc', 1)]).toEqual(['ab…gh', 'abc', 'a']);
});

it('shows control sequences instead of sending them to the terminal', () => {
  expect(printable('a\u001b[2Jb\nc')).toBe('a\\x1b[2Jb\\x0ac');
  expect(printableLine('\u001b[31mred\u001b[0m\t\u001b]0;title\u0007')).toBe(
    '\u001b[31mred\u001b[0m\t\\x1b]0;title\\x07',
  );
});

it('keeps the lines of a text, and the values of JSON', () => {
  expect(printableLines('a\n\u001b]0;x\u0007\nb')).toBe('a\n\\x1b]0;x\\x07\nb');
  const value = { 'a\u009b2J': '\u001b\u0085ä' };
  const shown = printableData(JSON.stringify(value));
  expect(shown).toMatch(/^[^\p{Cc}]*$/u);
  expect(JSON.parse(shown)).toEqual(value);
});
