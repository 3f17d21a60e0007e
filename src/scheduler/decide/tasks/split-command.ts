/**
 * Splits a command into words as the shell of 2013 would, without running a shell: words, quotes, `$NAME`. Syntax that
 * needs a shell (pipes, substitution …) is reported as a problem. Patterns such as `*` stay unchanged, since there are
 * no files to match.
 */

import { parse } from 'shell-quote';

export type Words = { readonly words: readonly string[] } | { readonly problem: string };

const PARSE_OPTIONS = { escape: '\\', splitUnquoted: true };

/** @param env values for `$NAME`; unknown names expand to nothing, as in a shell */
export function splitCommand(command: string, env: Readonly<Record<string, string>>): Words {
  const plain = plainCommand(command.trim());
  if ('problem' in plain) return plain;
  const words: string[] = [];
  for (const entry of parse(plain.text, env, PARSE_OPTIONS)) {
    if (typeof entry === 'string') words.push(entry);
    else if ('comment' in entry) return { problem: needsShellText('#') };
    else if (entry.op === 'glob') words.push(entry.pattern);
    else return { problem: needsShellText(entry.op) };
  }
  return { words };
}

/**
 * Finds syntax that the parser would ignore silently; escapes `#` inside words, where it starts no comment in a shell.
 */
function plainCommand(command: string): { text: string } | { problem: string } {
  let text = '';
  let quote = '';
  for (let i = 0; i < command.length; i += 1) {
    const c = command.charAt(i);
    const rest = command.slice(i);
    if (quote === "'") {
      if (c === quote) quote = '';
    } else if (c === '\\') {
      if (rest.length === 1) return { problem: 'ends in a backslash' };
      text += c;
      i += 1;
    } else if (c === '`') return { problem: needsShellText('`') };
    else if (c === '$' && !VARIABLE.test(rest)) return { problem: needsShellText(rest.slice(0, 2)) };
    else if (quote === '"') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '\n') return { problem: 'has several lines: use a single command' };
    else if (c === '#') {
      if (/(^|\s)$/.test(text)) return { problem: needsShellText('#') };
      text += '\\';
    }
    text += command.charAt(i);
  }
  return quote === '' ? { text } : { problem: `has a ${quote} that is never closed` };
}

/** A dollar that the parser and a shell interpret alike. */
const VARIABLE = /^\$([A-Za-z_]|\{[A-Za-z_]\w*\}|["\s]|$)/;

function needsShellText(what: string): string {
  return `has ${what}, which only a shell understands: quote it, or run a shell: sh -c '…'`;
}
