/** Schemas of stored values, checked against their types: a field without a schema is a compile error. */

import * as z from 'zod';

/** Requires a schema for every field. Optional fields may be missing in values. */
export type Shape<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? z.ZodType<T[K] | undefined> : z.ZodType<T[K]>;
};

export function record<T>(shape: Shape<T>): z.ZodType<T> {
  return z.object(shape as z.ZodRawShape) as unknown as z.ZodType<T>;
}

/** The members of a union whose `kind` may be V. */
type OfKind<T extends { readonly kind: string }, V> = T extends { readonly kind: infer K }
  ? V extends K
    ? T
    : never
  : never;

/** Declares one member of a union by `kind`. Requires a schema for each of its other fields. */
export function variant<T extends { readonly kind: string }>(
  kind: T['kind'],
  shape: Shape<Omit<T, 'kind'>>,
): z.ZodType<T> {
  return z.object({ kind: z.literal(kind), ...(shape as z.ZodRawShape) }) as unknown as z.ZodType<T>;
}

/** Declares a union by `kind`. Requires a schema for each of the other fields of each member. */
export function byKind<T extends { readonly kind: string }>(
  shapes: {
    readonly [V in T['kind']]: Shape<Omit<OfKind<T, V>, 'kind'>>;
  },
): z.ZodType<T> {
  const variants = Object.entries<Shape<object>>(shapes);
  return unionByKind(variants.map(([kind, shape]) => variant<T>(kind, shape as Shape<Omit<T, 'kind'>>)));
}

/** Joins members that `variant` declares. */
export function unionByKind<T>(variants: readonly z.ZodType<T>[]): z.ZodType<T> {
  const members = variants as unknown as [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion('kind', members) as unknown as z.ZodType<T>;
}

/** Declares a union of strings. Requires all of its members. */
export function literals<T extends string>(all: Readonly<Record<T, true>>): z.ZodType<T> {
  return z.enum(Object.keys(all) as T[]);
}
