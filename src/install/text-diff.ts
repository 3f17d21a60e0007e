/** Computes differences between texts, as lines for people. */

import { conceal, hasSecret, type Secrets, secretValues } from '../cluster/secrets.ts';

/** Number of unchanged lines before and after a change. */
const CONTEXT = 2;
/** For texts with more lines, only the number of lines is shown. */
const MAX_LINES = 2000;

/**
 * Returns lines that begin with `+`, `-` or a blank, and `…` for omitted unchanged lines.
 * @param before undefined when it isn't known
 */
export function textDiff(before: string | undefined, after: string): string[] {
  const right = linesOf(after);
  if (before === undefined) return right.map((line) => `+${line}`);
  const left = linesOf(before);
  if (left.length + right.length > MAX_LINES) return [`-${left.length} lines`, `+${right.length} lines`];
  return shorten(script(left, right));
}

/** Like `textDiff`, without secrets: conceals their marks, and their values in the present text. */
export function safeDiff(before: string | undefined, after: string, secrets: Secrets): string[] {
  // The present text may contain an older secret.
  const old = before === undefined || hasSecret(after) ? undefined : concealValues(before, secrets);
  return textDiff(old, conceal(after));
}

function concealValues(text: string, secrets: Secrets): string {
  return secretValues(secrets).reduce((safe, value) => safe.replaceAll(value, '••••••••'), text);
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Computes the shortest edit script, by the longest common subsequence. */
function script(left: readonly string[], right: readonly string[]): string[] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row) row[j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push(` ${left[i]}`);
      i += 1;
      j += 1;
    } else if (i < left.length && (j === right.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`-${left[i]}`);
      i += 1;
    } else {
      lines.push(`+${right[j]}`);
      j += 1;
    }
  }
  return lines;
}

function shorten(lines: readonly string[]): string[] {
  const near = (index: number) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((line) => !line.startsWith(' '));
  const shown: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (near(index)) shown.push(line);
    else if (shown.at(-1) !== ' …') shown.push(' …');
  }
  return shown;
}
