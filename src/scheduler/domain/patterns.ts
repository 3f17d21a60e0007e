/**
 * Validates the patterns of LIKE and UNLIKE. They come from clients of the API and are matched against every offer, and
 * some would keep a backtracking matcher, and with it the daemon, busy for years. So V8 is configured to switch to its
 * linear matcher after many backtracks (linear-patterns.ts, imported by all modules that read requests), and patterns
 * that only a backtracking matcher supports are rejected.
 */

const MAX_PATTERN_LENGTH = 500;

/** @returns the problem with the pattern, worded to follow "a pattern" */
export function findPatternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `of more than ${MAX_PATTERN_LENGTH} characters`;
  if (!compiles(pattern)) return 'that is not a regular expression';
  // With the flag `l`, patterns that the linear matcher doesn't support are errors.
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
