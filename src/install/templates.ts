/** The texts of files on hosts, made from `templates/`. */

import { Eta, type TemplateFunction } from 'eta/core';
import { quote } from '../hosts/quote.ts';

/** By path beneath `templates/`: `systemd/zookeeper.service`. Whoever plans loads them. */
export type Templates = Readonly<Record<string, string>>;

/** Makes the text of a file from the template at that path. */
export type Render = (path: string, data: Readonly<Record<string, unknown>>) => string;

/** Tags leave blanks and line ends as they are, except where they end in `-%>`; nothing is escaped. */
const eta = new Eta({ autoEscape: false, autoTrim: false, cache: false });

/** In every template as `it`, beside its own values: how a word is written in each kind of file. */
const WORDS = { sh: quote, systemd: systemdWord, environment: environmentValue };

/** @throws Error when there is no such template, or it uses what `data` lacks */
export function render(templates: Templates, path: string, data: Readonly<Record<string, unknown>>): string {
  const template = templates[path];
  if (template === undefined) throw new Error(`there is no template ${path}: is the installation complete?`);
  const compiled = programs.get(template) ?? eta.compile(template);
  programs.set(template, compiled);
  return compiled.call(eta, { ...data, ...WORDS });
}

/** By the template's text: to compile one takes longer than all the rest of a host's plan. */
const programs = new Map<string, TemplateFunction>();

/**
 * A word of a systemd command line: in quotes where it needs them, without specifiers and variables.
 * @throws TypeError for a control character, which no unit can hold
 */
export function systemdWord(word: string): string {
  refuseControls(word);
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(plain)
    ? plain
    : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * The value of a variable, in double quotes, read alike by systemd's EnvironmentFile and by sh.
 * @throws TypeError for a control character
 */
export function environmentValue(value: string): string {
  refuseControls(value);
  return `"${value.replace(/["\\$`]/g, '\\$&')}"`;
}

function refuseControls(text: string): void {
  if (/\p{Cc}/u.test(text)) throw new TypeError('a control character can stand in no unit and no variable');
}
