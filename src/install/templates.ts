/** Renders texts of files for hosts from `templates/`. */

import { Eta, type TemplateFunction } from 'eta/core';
import { quote } from '../hosts/quote.ts';

/** Texts by path below `templates/`: `systemd/zookeeper.service`. Loaded by the caller of a plan. */
export type Templates = Readonly<Record<string, string>>;

/** Renders the template at a path. */
export type Render = (path: string, data: Readonly<Record<string, unknown>>) => string;

/** Tags preserve blanks and line ends unless they end in `-%>`. Nothing is escaped. */
const eta = new Eta({ autoEscape: false, autoTrim: false, cache: false });

/** Members of `it` in every template, which quote a word for each kind of file. */
const WORDS = { sh: quote, systemd: systemdWord, environment: environmentValue };

/** @throws Error when the template does not exist, or uses a value that `data` lacks */
export function render(templates: Templates, path: string, data: Readonly<Record<string, unknown>>): string {
  const template = templates[path];
  if (template === undefined)
    throw new Error(`the template ${path} is missing: is the installation complete?`);
  const compiled = programs.get(template) ?? eta.compile(template);
  programs.set(template, compiled);
  return compiled.call(eta, { ...data, ...WORDS });
}

/** Compiled templates by their text. Compiling one takes longer than all other work for a host's plan. */
const programs = new Map<string, TemplateFunction>();

/**
 * Quotes a word for a systemd command line, and escapes specifiers and variables.
 * @throws TypeError for a control character, which a unit can't contain
 */
export function systemdWord(word: string): string {
  refuseControls(word);
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(plain)
    ? plain
    : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * Quotes the value of a variable so that systemd's EnvironmentFile and sh read it in the same way.
 * @throws TypeError for a control character
 */
export function environmentValue(value: string): string {
  refuseControls(value);
  return `"${value.replace(/["\\$`]/g, '\\$&')}"`;
}

function refuseControls(text: string): void {
  if (/\p{Cc}/u.test(text)) throw new TypeError("units and variables can't contain a control character");
}
