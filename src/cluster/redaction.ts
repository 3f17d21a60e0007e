/** Removes secrets from texts that people give to others: logs of runs, and support bundles. */

import type { Cluster } from './cluster.ts';

const DOTS = '••••••••';
/** Characters. A shorter text occurs in other words, too, and is removed only where its name shows that it is a secret. */
const SHORTEST = 6;

/** Names of settings and variables whose values are secrets. A file of secrets is none itself. */
const SECRET_NAME =
  /(?:secret|passw(?:or)?d|token|credential|docker_config|environment|private_?key|api_?key|authorization)(?!.*[_-](?:file|dir)$)/i;

/**
 * Secrets that the words around them show, with what stays of them. Each is within one line, since logs are cut into
 * lines, but a private key.
 */
const SHOWN: readonly [pattern: RegExp, kept: string][] = [
  [/(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, `$1${DOTS}`],
  [/(authorization\\*["']?\s*[:=]\s*\\*["']?(?:[a-z]+\s+)?)[^\s"',;\\]+/gi, `$1${DOTS}`],
  [/(\bbearer\s+)[A-Za-z0-9._~+/=-]{6,}/gi, `$1${DOTS}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:)[^\s/@"']+(?=@)/gi, `$1${DOTS}`],
  [
    /((?:secret|passw(?:or)?d|token|credentials?|private_?key|api_?key)\\*["']?\s*[:=]\s*\\*["']?)[^\s"',;&\\{}[\]]+/gi,
    `$1${DOTS}`,
  ],
];

/** Removes known secrets from a text in any form, and what its name or its place shows to be one. */
export type Redact = (text: string) => string;

/**
 * @param secrets are found plain, percent-encoded, as hex, within base64, and as strings of JSON
 * @returns a function that replaces them by dots
 */
export function hider(secrets: readonly string[]): Redact {
  const long = [...new Set(secrets)].filter(({ length }) => length >= SHORTEST);
  if (long.length === 0) return (text) => text;
  // A secret may be a part of another one.
  const forms = long.toSorted((a, b) => b.length - a.length).flatMap(formsOf);
  const any = new RegExp(forms.join('|'), 'g');
  return (text) => text.replace(any, DOTS);
}

/** Like `hider`; also removes secrets of others that a text shows as such. */
export function redactor(secrets: readonly string[]): Redact {
  const hide = hider(secrets);
  return (text) => SHOWN.reduce((safe, [pattern, kept]) => safe.replace(pattern, kept), hide(text));
}

/** Redacts all strings of a value of JSON, and removes the values whose names show that they are secrets. */
export function redactValue(value: unknown, redact: Redact, isSecret = false): unknown {
  if (typeof value === 'string') return isSecret && value !== '' ? DOTS : redact(value);
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redact, isSecret));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, part]) => [
    redact(name),
    redactValue(part, redact, isSecret || namesSecret(name)),
  ]);
  return Object.fromEntries(entries);
}

/** True of a file or a setting whose content is a secret. */
export function namesSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Returns the secrets within a cluster: values of flags whose names show it, and passwords of URLs. */
export function secretsIn(cluster: Cluster): string[] {
  const found = new Set<string>();
  const visit = (value: unknown, isSecret: boolean) => {
    if (typeof value === 'string') {
      if (isSecret) for (const one of stringsIn(value)) found.add(one);
      for (const [, password = ''] of value.matchAll(/:\/\/[^\s/:@]*:([^\s/@]+)@/g)) found.add(password);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, part] of Object.entries(value)) visit(part, isSecret || namesSecret(name));
    }
  };
  visit(cluster, false);
  return [...found];
}

/** The text, and if it is JSON, the strings in it. */
function stringsIn(text: string): string[] {
  const found = [text];
  const visit = (value: unknown) => {
    if (typeof value === 'string') found.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  try {
    visit(JSON.parse(text));
  } catch {
    // Another kind of text.
  }
  return found;
}

/** Returns patterns that match the forms in which a secret may occur. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = base64Forms(bytes).flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
  const hex = [...bytes].map((byte) => anyCase(byte.toString(16).padStart(2, '0'))).join('');
  const escaped = JSON.stringify(secret).slice(1, -1);
  // The first one that matches wins: as a string of JSON, a last backslash is two.
  return [...new Set([literal(escaped), percentForm(secret), ...base64.map(literal), hex])];
}

/** Matches the text with any of its characters percent-encoded. */
function percentForm(text: string): string {
  return [...text]
    .map((character) => {
      const bytes = [...Buffer.from(character)];
      const encoded = bytes.map((byte) => `%${anyCase(byte.toString(16).padStart(2, '0'))}`).join('');
      return `(?:${encoded}|${literal(character)})`;
    })
    .join('');
}

/** Matches hexadecimal digits of both cases. */
function anyCase(digits: string): string {
  return digits.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/**
 * Returns the forms of a text within the base64 of a longer text, one for each of the three offsets in a group of
 * bytes. The characters at both ends, which also encode neighbouring bytes, are cut off.
 */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
}
