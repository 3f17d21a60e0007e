/** Makes text of others safe for a terminal: names, messages and output of tasks may contain control sequences. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Most texts consist of these only, which takes a fraction of the time to find out. */
const PLAIN = /^[ -~]*$/;

/** Replaces control characters, also line ends, by visible ones: `\x1b`. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(CONTROL, escaped);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
const NOT_IN_OUTPUT = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** The same for a line of a program's output: tabs and colours stay. */
export function printableLine(text: string): string {
  return text.replace(NOT_IN_OUTPUT, (found) => (found.length > 1 ? found : escaped(found)));
}

/** The same for a line of a program's output, without its colours. */
export function printableWithoutColours(text: string): string {
  return text.replace(NOT_IN_OUTPUT, (found) => (found.length > 1 ? '' : escaped(found)));
}

const PLAIN_LINES = /^[\t\n -~]*$/;

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  if (PLAIN_LINES.test(text)) return text;
  return text.split('\n').map(printableLine).join('\n');
}

/** The same for JSON and YAML, which escape all others of these characters themselves. */
export function printableData(text: string): string {
  return text.replace(/[\u007f-\u009f]/g, (found) => `\\u00${found.charCodeAt(0).toString(16)}`);
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
