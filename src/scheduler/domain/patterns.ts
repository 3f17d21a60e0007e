/**
 * Patterns of LIKE and UNLIKE come from whoever may call the API, and are tried against every offer. Some would keep a
 * backtracking matcher, and with it the daemon, busy for years. So V8 is told to go on with its linear matcher after
 * many steps back (linear-patterns.ts, loaded by whatever reads requests), and patterns that only backtracking can
 * match are refused.
 */

const MAX_PATTERN_LENGTH = 500;

/** @returns what is wrong with the pattern, to follow "a pattern" */
export function findPatternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `of more than ${MAX_PATTERN_LENGTH} characters`;
  if (!compiles(pattern)) return 'that is not a regular expression';
  // The flag `l`: what the linear matcher can't do is an error.
  return compiles(pattern, 'l') ? undefined : 'that uses lookaround, backreferences or too much repetition';
}

function compiles(pattern: string, flags = ''): boolean {
  try {
    new RegExp(pattern, flags);
    return true;
  } catch {
    return false;
  }
}
