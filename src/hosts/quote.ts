/** The one way input gets into a shell line. */

/** The word as POSIX sh reads it back, byte for byte. @throws TypeError for a NUL, which no argument can hold */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a shell word can hold no NUL byte');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A value for a shell variable; a list becomes an item a line. */
export type ShellValue = string | number | readonly string[];

/** Commands that set shell variables. @throws TypeError for a NUL, and for an item of a list with a line end */
export function assignments(values: Readonly<Record<string, ShellValue>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${quote(textOf(value))}`);
}

function textOf(value: ShellValue): string {
  if (typeof value !== 'object') return String(value);
  if (value.some((item) => item.includes('\n')))
    throw new TypeError('an item of a list can hold no line end');
  return value.join('\n');
}
