/** Quotes values for shell commands. All values in shell commands pass through here. */

/** Quotes a word for POSIX sh. @throws TypeError for a NUL byte, which an argument can't contain */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a shell word must not contain a NUL byte');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A value of a shell variable; a list becomes one item per line. */
export type ShellValue = string | number | readonly string[];

/** Commands that set shell variables. @throws TypeError for a NUL byte, and for a list item with a line end */
export function assignments(values: Readonly<Record<string, ShellValue>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${quote(textOf(value))}`);
}

function textOf(value: ShellValue): string {
  if (typeof value !== 'object') return String(value);
  if (value.some((item) => item.includes('\n')))
    throw new TypeError('a list item must not contain a line end');
  return value.join('\n');
}
