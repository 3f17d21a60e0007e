/** Differences between texts and attributes, as lines for people. */

import { conceal, hasSecret, type Secrets } from '../cluster/secrets.ts';

/** Of unchanged lines, how many stand about a change. */
const CONTEXT = 2;
/** Texts of more lines are shown by their number alone. */
const MAX_LINES = 2000;

/**
 * Lines with `+`, `-` or a blank first, and `…` where unchanged ones are left out.
 * @param before undefined when it isn't known
 */
export function textDiff(before: string | undefined, after: string): string[] {
  const right = linesOf(after);
  if (before === undefined) return right.map((line) => `+${line}`);
  const left = linesOf(before);
  if (left.length + right.length > MAX_LINES) return [`-${left.length} lines`, `+${right.length} lines`];
  return shorten(script(left, right));
}

/** Without the secrets: marks, and values that stand in a text that was there before. */
export function safeDiff(before: string | undefined, after: string, secrets: Secrets): string[] {
  // What was in the place of a secret may be one too.
  const old = before === undefined || hasSecret(after) ? undefined : concealValues(before, secrets);
  return textDiff(old, conceal(after));
}

function concealValues(text: string, secrets: Secrets): string {
  return Object.values(secrets).reduce((safe, value) => safe.replaceAll(value, '••••••••'), text);
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The shortest edit, by the longest common subsequence of what is left between equal beginnings and ends. */
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
