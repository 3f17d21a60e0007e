/** Reads objects of texts without a schema. To load the schemas takes longer than all else that some commands do. */

import { isEmpty, isJson, type Json } from '../json.ts';
import { MismatchError } from './mismatch.ts';

type Kind = 'text' | 'optional text' | 'texts' | 'optional texts';

/** The kinds of the fields of T, whose values are texts or lists of texts. */
export type TextFields<T> = {
  readonly [K in keyof T]-?: T[K] extends readonly string[]
    ? 'texts'
    : T[K] extends readonly string[] | undefined
      ? 'optional texts'
      : undefined extends T[K]
        ? 'optional text'
        : 'text';
};

/**
 * @param path of the value in the file
 * @throws MismatchError also for an unknown field with a value, since its content would be lost
 */
export function readTexts<T>(value: unknown, fields: TextFields<T>, path: readonly string[] = []): T {
  if (!isJson(value)) throw new MismatchError('has an unknown value', [...path]);
  for (const name of Object.keys(value)) {
    if (!(name in fields) && !isEmpty(value[name])) throw new MismatchError('is unknown', [...path, name]);
  }
  const kinds = Object.entries<Kind>(fields);
  for (const [name, kind] of kinds) check(value, name, kind, path);
  return Object.fromEntries(
    kinds.flatMap(([name]) => (value[name] === undefined ? [] : [[name, value[name]]])),
  ) as T;
}

function check(object: Json, name: string, kind: Kind, path: readonly string[]): void {
  const value = object[name];
  if (value === undefined) {
    if (!kind.startsWith('optional')) throw new MismatchError('is missing', [...path, name]);
    return;
  }
  const isText = (one: unknown) => typeof one === 'string';
  const isRight = kind.endsWith('texts') ? Array.isArray(value) && value.every(isText) : isText(value);
  if (!isRight) throw new MismatchError('has an unknown value', [...path, name]);
}
