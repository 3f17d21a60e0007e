/** The lines of what a program wrote that hold anything, without control characters: fit to be quoted in a message. */
export function plainLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replaceAll(/\p{Cc}/gu, ' ').trim())
    .filter((line) => line !== '');
}
