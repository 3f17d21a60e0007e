/** Joins names. Beyond `most`, the others are counted: `a, b and 3 more`. */
export function listed(names: readonly string[], most = 6): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
