/** The one way input gets into a shell line. */

/** The word as POSIX sh reads it back, byte for byte. @throws TypeError for a NUL, which no argument can hold */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a shell word can hold no NUL byte');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
