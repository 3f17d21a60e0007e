/** An error is not longer than this; more problems are only counted. */
const MOST = 4;

/** Joins the first problems, one a line, and counts the others. */
export function fewLines(problems: readonly string[]): string {
  if (problems.length <= MOST) return problems.join('\n');
  return [...problems.slice(0, MOST - 1), `and ${problems.length - MOST + 1} more problems`].join('\n');
}
