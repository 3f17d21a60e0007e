/** `certificates.json`: the certificates of a cluster, with their keys. Read without a schema, since loading one is slow. */

import { isJson, type Json } from '../json.ts';
import type { StoredFile } from '../stored/file.ts';
import { MismatchError } from '../stored/mismatch.ts';
import { type Authority, type KeptCertificates, type Leaf, TLS_SERVICES } from './certificates.ts';
import { ROTATION_PHASES, TLS_STATES } from './secrets.ts';

type Is<T> = (value: unknown) => value is T;

const isText: Is<string> = (value): value is string => typeof value === 'string' && value !== '';
const isNumber: Is<number> = (value): value is number => typeof value === 'number' && Number.isFinite(value);
const isTexts: Is<readonly string[]> = (value): value is readonly string[] =>
  Array.isArray(value) && value.every(isText);
const isOneOf =
  <T>(words: readonly T[]): Is<T> =>
  (value): value is T =>
    words.some((word) => word === value);

/** Neither a name nor a path may leave the file of a host. */
const isPem: Is<string> = (value): value is string =>
  typeof value === 'string' &&
  /^-----BEGIN ([A-Z ]+)-----\n[A-Za-z0-9+/=\n]+\n-----END \1-----\n$/.test(value);

const AUTHORITY: { readonly [K in keyof Authority]: Is<Authority[K]> } = {
  generation: isNumber,
  certificate: isPem,
  key: isText,
  until: isNumber,
};

const LEAF: { readonly [K in keyof Leaf]: Is<Leaf[K]> } = {
  host: isText,
  service: isOneOf(TLS_SERVICES),
  names: isTexts,
  certificate: isPem,
  key: isPem,
  until: isNumber,
  authority: isNumber,
};

export const certificatesFile: StoredFile<KeptCertificates> = {
  format: 1,
  read: (content) => {
    for (const name of Object.keys(content))
      if (!['state', 'phase', 'authorities', 'leaves'].includes(name))
        throw new MismatchError('is unknown', [name]);
    const authorities = listOf(content, 'authorities', AUTHORITY);
    if (authorities.length === 0) throw new MismatchError('is empty', ['authorities']);
    const { phase } = content;
    return {
      state: value(content.state, isOneOf(TLS_STATES), ['state']),
      ...(phase !== undefined && { phase: value(phase, isOneOf(ROTATION_PHASES), ['phase']) }),
      authorities,
      leaves: listOf(content, 'leaves', LEAF),
    };
  },
};

function listOf<T>(content: Json, name: string, fields: { readonly [K in keyof T]: Is<T[K]> }): T[] {
  const found = content[name];
  if (!Array.isArray(found)) throw new MismatchError('has an unknown value', [name]);
  return found.map((one: unknown, at) => {
    const place = [name, String(at)];
    if (!isJson(one)) throw new MismatchError('has an unknown value', place);
    for (const key of Object.keys(one))
      if (!(key in fields)) throw new MismatchError('is unknown', [...place, key]);
    const entries = Object.entries<Is<unknown>>(fields);
    return Object.fromEntries(entries.map(([key, is]) => [key, value(one[key], is, [...place, key])])) as T;
  });
}

function value<T>(found: unknown, is: Is<T>, path: string[]): T {
  if (!is(found)) throw new MismatchError(found === undefined ? 'is missing' : 'has an unknown value', path);
  return found;
}
