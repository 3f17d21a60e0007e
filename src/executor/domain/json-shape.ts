/**
 * Shapes of JSON values: each checks a value, and its type follows from it. Written by hand because the first task on
 * an agent waits for the executor to start, and zod adds 20 ms to a start of 40 ms.
 */

export interface Shape<T> {
  /** @returns what is wrong with the value, with its path; undefined where it is a `T` */
  readonly problem: (value: unknown, path: string) => string | undefined;
  /** For the type alone; never set. */
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

/** The object that has these fields. One that is undefined is left out of JSON. */
export type ObjectOf<F> = { -readonly [K in Exclude<keyof F, OptionalOf<F>>]: ValueOf<F[K]> } & {
  -readonly [K in OptionalOf<F>]?: ValueOf<F[K]> | undefined;
};

function leaf<T>(name: string, fits: (value: unknown) => boolean): Shape<T> {
  return { problem: (value, path) => (fits(value) ? undefined : `${path} must be ${name}`) };
}

export const anything: Shape<unknown> = { problem: () => undefined };
export const text = leaf<string>('a text', (value) => typeof value === 'string');
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

/** An object with fields of any name. */
export function mapOf<T>(element: Shape<T>): Shape<Record<string, T>> {
  return {
    problem: (value, path) =>
      isObject(value)
        ? first(Object.entries(value), ([name, one]) => element.problem(one, `${path}.${name}`))
        : `${path} must be an object`,
  };
}

/**
 * An object that has these fields and no other.
 * @param name for messages
 */
export function objectOf<const F extends Fields>(fields: F, name = 'an object'): Shape<ObjectOf<F>> {
  return {
    problem: (value, path) => {
      if (!isObject(value)) return `${path} must be ${name}`;
      const unknown = Object.keys(value).find((field) => !Object.hasOwn(fields, field));
      if (unknown !== undefined) {
        return `this executor does not know ${path}.${unknown}: install the scheduler's release of mesosup on this agent`;
      }
      return first(Object.entries(fields), ([field, { shape, optional }]) => {
        if (Object.hasOwn(value, field)) return shape.problem(value[field], `${path}.${field}`);
        return optional ? undefined : `${path}.${field} is missing`;
      });
    },
  };
}

export function fits<T>(wanted: Shape<T>, value: unknown): value is T {
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
