/** Shows text of others: names, labels, messages and output of tasks (pure). */

import { printable } from '../../text/printable.ts';

/** Marks that change the direction or the place of the text after them, and characters that can't be seen. */
const INVISIBLE = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape begins a colour
const SGR = /\u001b\[[0-9;:]*m/g;
const MAX_LINE = 4000;

/** Escapes them as in JSON and JavaScript. */
function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Replaces characters that can't be seen, or that would move others, by visible ones. */
export function plain(text: string): string {
  return escapeInvisible(printable(text));
}

/** The same for a message that may have several lines. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** JSON to edit, in which they are escaped: it means the same. */
export function plainJson(json: unknown): string {
  return escapeInvisible(JSON.stringify(json, null, 2));
}

/** The same as `plain` for a line of output, without its colours. A very long line is cut; a download has all of it. */
export function plainLine(text: string): string {
  const cut = text.length > MAX_LINE;
  const shown = plain((cut ? text.slice(0, MAX_LINE) : text).replaceAll(SGR, '').replaceAll('\t', '    '));
  return cut ? `${shown} … (${text.length - MAX_LINE} more characters; download the log to see them)` : shown;
}
