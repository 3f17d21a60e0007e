/** OpenSSH's patterns: `*`, `?`, and a list in which a negated match refuses; ssh_config(5), PATTERNS (pure). */

/** Whether the whole text matches; letters count as they are. */
export function matchesPattern(pattern: string, text: string): boolean {
  // Back to the last star on a mismatch: linear in practice, where a regular expression could take for ever.
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

/** Whether one pattern matches and none of the negated (`!pattern`) does. */
export function matchesList(patterns: readonly string[], text: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(pattern.slice(1), text)) return false;
    } else if (matchesPattern(pattern, text)) matched = true;
  }
  return matched;
}
