/** Formats rows as a table that fits the width of a terminal. */

import { printable } from './printable.ts';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  /** Numbers are aligned at the right. */
  readonly right?: boolean;
  /** Shown only with the option `wide`. */
  readonly wide?: boolean;
  /** Shortened in its middle, down to this width, if the table is too wide. */
  readonly shrinkTo?: number;
  /** Left out if the table is still too wide; the column with the greatest number first. */
  readonly drop?: number;
}

export interface TableOptions {
  /** Undefined for no limit. */
  readonly width: number | undefined;
  readonly wide: boolean;
}

const GAP = 2;

/** @returns lines without trailing blanks */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  { width = Infinity, wide }: TableOptions,
): string {
  let shown = columns
    .filter((column) => wide || !column.wide)
    .map((column) => {
      const cells = [column.title, ...rows.map((row) => printable(column.cell(row)))];
      return { column, cells, width: cells.reduce((most, { length }) => Math.max(most, length), 0) };
    });
  const least = (one: (typeof shown)[number]) => Math.min(one.width, one.column.shrinkTo ?? Infinity);
  const excess = (widthOf: typeof least) =>
    shown.reduce((sum, one) => sum + widthOf(one) + GAP, -GAP) - width;
  // A column without content goes before another one is shortened.
  for (const one of shown.filter(
    ({ column, cells }) => column.drop !== undefined && isEmpty(cells.slice(1)),
  )) {
    if (excess((other) => other.width) > 0) shown = shown.filter((other) => other !== one);
  }
  for (let drop = nextToDrop(shown); excess(least) > 0 && drop; drop = nextToDrop(shown)) {
    const dropped = drop;
    shown = shown.filter((one) => one !== dropped);
  }
  for (const one of shown.toSorted((a, b) => b.width - a.width)) {
    const tooMuch = excess((other) => other.width);
    if (tooMuch > 0) one.width = Math.max(least(one), one.width - tooMuch);
  }
  return Array.from({ length: rows.length + 1 }, (_, row) =>
    shown
      .map(({ column, cells, width: cellWidth }) => {
        const cell = shorten(cells[row] ?? '', cellWidth);
        return column.right ? cell.padStart(cellWidth) : cell.padEnd(cellWidth);
      })
      .join(' '.repeat(GAP))
      .trimEnd()
      .slice(0, width),
  ).join('\n');
}

function isEmpty(cells: readonly string[]): boolean {
  return cells.every((cell) => cell === '' || cell === '-');
}

function nextToDrop<T extends { readonly column: { readonly drop?: number } }>(
  shown: readonly T[],
): T | undefined {
  const droppable = shown.filter(({ column }) => column.drop !== undefined);
  return droppable.toSorted((a, b) => (b.column.drop ?? 0) - (a.column.drop ?? 0))[0];
}

/** Leaves out the middle: both ends of an id tell it apart. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < 2) return text.slice(0, width);
  const head = Math.ceil((width - 1) / 2);
  const tail = width - 1 - head;
  return `${text.slice(0, head)}…${tail > 0 ? text.slice(-tail) : ''}`;
}
