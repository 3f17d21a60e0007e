/** Schemas of what is stored, checked against the types of what is saved: a field without its schema doesn't compile. */

import * as z from 'zod';

/** A schema for every field, so that none can be forgotten; optional ones may stay out. */
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

/** One member of a union told apart by its `kind`: its other fields, so that none can be forgotten. */
export function variant<T extends { readonly kind: string }>(
  kind: T['kind'],
  shape: Shape<Omit<T, 'kind'>>,
): z.ZodType<T> {
  return z.object({ kind: z.literal(kind), ...(shape as z.ZodRawShape) }) as unknown as z.ZodType<T>;
}

/** A union told apart by its `kind`: the other fields of each, so that none can be forgotten. */
export function byKind<T extends { readonly kind: string }>(
  shapes: {
    readonly [V in T['kind']]: Shape<Omit<OfKind<T, V>, 'kind'>>;
  },
): z.ZodType<T> {
  const variants = Object.entries(shapes).map(([kind, shape]) =>
    z.object({ kind: z.literal(kind), ...(shape as z.ZodRawShape) }),
  );
  return z.discriminatedUnion(
    'kind',
    variants as unknown as [z.ZodObject, ...z.ZodObject[]],
  ) as unknown as z.ZodType<T>;
}

/** A union of texts, all of them. */
export function literals<T extends string>(all: Readonly<Record<T, true>>): z.ZodType<T> {
  return z.enum(Object.keys(all) as T[]);
}
