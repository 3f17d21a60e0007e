/** Extracts the last lines of a container's output for the message of a status. The output is hostile data. */

export const MAX_LINES = 10;
/** Characters. A message is stored by the master, the agent and the scheduler. */
export const MAX_LENGTH = 1024;
/** Bytes to read from the end of a file: enough for MAX_LENGTH characters of UTF-8, and escape sequences between them. */
export const TAIL_BYTES = 8192;

/** CSI sequences of terminals, for example for colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character.
const ESCAPES = /\x1b\[[0-?]*[ -/]*[@-~]/g;
/** Control characters and characters that change the direction or are invisible. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/**
 * @param text the end of the output
 * @param complete true if it is all of the output; otherwise its first line may be cut and is left out
 * @returns up to MAX_LINES lines and MAX_LENGTH characters without control characters except line feeds; empty lines at
 *   the end are dropped
 */
export function lastLines(text: string, complete: boolean): string {
  const lines = text.replace(ESCAPES, '').split(/\r\n|\r|\n/);
  if (!complete && lines.length > 1) lines.shift();
  while (lines.at(-1)?.trim() === '') lines.pop();
  const harmless = lines
    .slice(-MAX_LINES)
    .map((line) => line.replaceAll('\t', '  ').replace(HARMFUL, '\uFFFD').trimEnd());
  const joined = harmless.join('\n').replace(/^\n+/, '');
  return joined.length <= MAX_LENGTH ? joined : `…${cutStart(joined, MAX_LENGTH - 1)}`;
}

/** @returns the last `length` characters, without half of a surrogate pair at the start */
function cutStart(text: string, length: number): string {
  return text.slice(-length).replace(/^[\uDC00-\uDFFF]/, '');
}
