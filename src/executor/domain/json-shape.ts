/**
 * Shapes validate JSON values, and their TypeScript types are derived from them. This file replaces zod because the
 * first task on an agent waits for the executor's start, and zod adds 20 ms to a start of 40 ms.
 */

import { isJson } from '../../json.ts';

export interface Shape<T> {
  /** @returns the problem of the value, with its path; undefined if it is a `T` */
  readonly problem: (value: unknown, path: string) => string | undefined;
  /** Used for type inference only; never set. */
  readonly type?: T;
}

/** A field of an object. */
interface Field<T> {
  readonly shape: Shape<T>;
  readonly optional: boolean;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends { readonly shape: Shape<infer T> } ? T : never;
type OptionalOf<F> = {
  [K in keyof F]: F[K] extends { readonly optional: true } ? K : never;
}[keyof F];

/** The type of an object with these fields. A field that is undefined is left out of JSON. */
export type ObjectOf<F> = { -readonly [K in Exclude<keyof F, OptionalOf<F>>]: ValueOf<F[K]> } & {
  -readonly [K in OptionalOf<F>]?: ValueOf<F[K]> | undefined;
};

function leaf<T>(name: string, isValid: (value: unknown) => boolean): Shape<T> {
  return { problem: (value, path) => (isValid(value) ? undefined : `${path} must be ${name}`) };
}

export const anyValue: Shape<unknown> = { problem: () => undefined };
export const text = leaf<string>('a string', (value) => typeof value === 'string');
export const flag = leaf<boolean>('true or false', (value) => typeof value === 'boolean');

export function wholeNumber(least: number, most: number): Shape<number> {
  return leaf(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  );
}

export function oneOf(...texts: readonly string[]): Shape<string> {
  return leaf(`one of ${texts.join(', ')}`, (value) => (texts as readonly unknown[]).includes(value));
}

export function listOf<T>(element: Shape<T>): Shape<T[]> {
  return {
    problem: (value, path) =>
      Array.isArray(value)
        ? first(value, (one, i) => element.problem(one, `${path}[${i}]`))
        : `${path} must be a list`,
  };
}

/** An object with arbitrary field names. */
export function mapOf<T>(element: Shape<T>): Shape<Record<string, T>> {
  return {
    problem: (value, path) =>
      isJson(value)
        ? first(Object.entries(value), ([name, one]) => element.problem(one, `${path}.${name}`))
        : `${path} must be an object`,
  };
}

interface ObjectWords {
  /** What the object is. */
  readonly name?: string;
  /** The message for a field that is not among the fields. */
  readonly unknown?: (path: string) => string;
}

const notSupported = (path: string) =>
  `this executor does not support ${path}: install the scheduler's release of mesosup on this agent`;

/** The message for an unknown key of the agent's configuration. */
export const notAKey = (path: string) => `${path} is not a key of this file`;

/**
 * An object that has only these fields.
 * @param words for messages
 */
export function objectOf<const F extends Fields>(
  fields: F,
  { name = 'an object', unknown: complain = notSupported }: ObjectWords = {},
): Shape<ObjectOf<F>> {
  return {
    problem: (value, path) => {
      if (!isJson(value)) return `${path} must be ${name}`;
      const unknown = Object.keys(value).find((field) => !Object.hasOwn(fields, field));
      if (unknown !== undefined) {
        return complain(`${path}.${unknown}`);
      }
      return first(Object.entries(fields), ([field, { shape, optional }]) => {
        if (Object.hasOwn(value, field)) return shape.problem(value[field], `${path}.${field}`);
        return optional ? undefined : `${path}.${field} is missing`;
      });
    },
  };
}

export function matchesShape<T>(wanted: Shape<T>, value: unknown): value is T {
  return wanted.problem(value, '') === undefined;
}

function first<T>(
  all: readonly T[],
  problem: (one: T, index: number) => string | undefined,
): string | undefined {
  for (const [i, one] of all.entries()) {
    const found = problem(one, i);
    if (found !== undefined) return found;
  }
  return undefined;
}
