/** Compares two definitions of an app. */

import { canonicalJson, isJson, type Json } from '../json.ts';
import { printable } from '../text/printable.ts';

export interface Difference {
  /** For example `container.docker.image`. */
  readonly field: string;
  /** Undefined if the field was added. */
  readonly before?: unknown;
  /** Undefined if it was removed. */
  readonly after?: unknown;
}

/** They differ in every version. */
const IGNORED: ReadonlySet<string> = new Set(['version', 'versionInfo', 'id']);

/** Compares field by field; lists of objects by position, other lists as a whole. */
export function differencesOf(before: Json, after: Json): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !IGNORED.has(name),
  );
  return names.toSorted().flatMap((name) => [...compare(name, before[name], after[name])]);
}

function* compare(field: string, before: unknown, after: unknown): Generator<Difference> {
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return;
  const old = before === undefined && isJson(after) && Object.keys(after).length > 0 ? {} : before;
  if (isJson(old) && isJson(after)) {
    for (const name of [...new Set([...Object.keys(old), ...Object.keys(after)])].toSorted()) {
      yield* compare(`${field}.${name}`, old[name], after[name]);
    }
  } else if (areObjects(before) && areObjects(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i += 1) {
      yield* compare(`${field}[${i}]`, before[i], after[i]);
    }
  } else {
    yield {
      field,
      ...(before !== undefined && before !== null && { before }),
      ...(after !== undefined && after !== null && { after }),
    };
  }
}

function areObjects(value: unknown): value is Json[] {
  return Array.isArray(value) && value.length > 0 && value.every(isJson);
}

/** `~ instances: 2 → 3`, `+ labels.a: x`, `- cmd: x`. Values of environment variables are left out. */
export function differenceText({ field, before, after }: Difference): string {
  const show = (value: unknown) => valueText(field, value);
  // The names of labels and variables are anybody's.
  const name = printable(field);
  if (before === undefined) return `+ ${name}: ${show(after)}`;
  if (after === undefined) return `- ${name}: ${show(before)}`;
  if (isSecret(field)) return `~ ${name}: another value`;
  return `~ ${name}: ${show(before)} → ${show(after)}`;
}

const MAX_VALUE = 120;

function valueText(field: string, value: unknown): string {
  if (isSecret(field))
    return field === 'env' && isJson(value) ? printable(Object.keys(value).join(' ')) : '(a value)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const shown = printable(text);
  return shown.length > MAX_VALUE ? `${shown.slice(0, MAX_VALUE - 1)}…` : shown;
}

function isSecret(field: string): boolean {
  return /^env(\.|$)|^container\.docker\.(parameters|options)/.test(field);
}
