/** The output of a task as the page keeps it (pure). */

import type { Stream } from '../../apps/log-lines.ts';

export interface ShownLine {
  /** Increases with each line. */
  readonly number: number;
  readonly stream: Stream;
  readonly text: string;
}

/** Limits of the lines that the page keeps. A download has all. */
const MAX_LINES = 5000;
const MAX_CHARACTERS = 4 << 20;
/** A longer line is cut. */
const MAX_LINE = 100_000;

/** Adds lines, and forgets the oldest ones. */
export function withLines(
  before: readonly ShownLine[],
  added: readonly { readonly stream: Stream; readonly text: string }[],
): readonly ShownLine[] {
  const first = (before.at(-1)?.number ?? 0) + 1;
  const all = [
    ...before,
    ...added
      .slice(-MAX_LINES)
      .map(({ stream, text }, i) => ({ number: first + i, stream, text: text.slice(0, MAX_LINE) })),
  ].slice(-MAX_LINES);
  let left = MAX_CHARACTERS;
  let from = all.length;
  while (from > 0) {
    left -= all[from - 1]?.text.length ?? 0;
    if (left < 0) break;
    from -= 1;
  }
  return all.slice(Math.min(from, all.length - 1));
}

/** @param search a text that the lines contain, in any case */
export function findLines(lines: readonly ShownLine[], search: string): readonly ShownLine[] {
  if (search === '') return lines;
  const wanted = search.toLowerCase();
  return lines.filter(({ text }) => text.toLowerCase().includes(wanted));
}

/** Splits a text at each place of the search. */
export function splitAt(
  text: string,
  search: string,
): { readonly text: string; readonly isFound: boolean }[] {
  if (search === '') return [{ text, isFound: false }];
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  const parts: { text: string; isFound: boolean }[] = [];
  let at = 0;
  // Lower case may have another length in rare languages; then nothing is marked.
  for (
    let next = lower.indexOf(wanted);
    next >= 0 && lower.length === text.length;
    next = lower.indexOf(wanted, at)
  ) {
    if (next > at) parts.push({ text: text.slice(at, next), isFound: false });
    at = next + wanted.length;
    parts.push({ text: text.slice(next, at), isFound: true });
  }
  if (at < text.length) parts.push({ text: text.slice(at), isFound: false });
  return parts;
}
