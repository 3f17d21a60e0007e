/** Matches OpenSSH's patterns: `*`, `?`, and lists with negated patterns; ssh_config(5), PATTERNS (pure). */

/** Matches the complete text, case-sensitively. */
export function matchesPattern(pattern: string, text: string): boolean {
  // Goes back to the last star on a mismatch: linear in practice, while a regular expression could take exponential time.
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** True if at least one pattern matches and no negated pattern (`!pattern`) does. */
export function matchesList(patterns: readonly string[], text: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(pattern.slice(1), text)) return false;
    } else if (matchesPattern(pattern, text)) matched = true;
  }
  return matched;
}
