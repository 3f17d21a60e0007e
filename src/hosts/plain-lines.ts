/** The non-empty lines of a program's output, without control characters, for quoting in messages. */
export function plainLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replaceAll(/\p{Cc}/gu, ' ').trim())
    .filter((line) => line !== '');
}
