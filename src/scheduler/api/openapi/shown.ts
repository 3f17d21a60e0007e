/** Building blocks for the schemas of answers, and the types derived from them. Answers are not validated. */

import * as z from 'zod';

/** ISO 8601 with milliseconds. */
export const time = z.string().meta({ format: 'date-time' });

/** For fields of Marathon that are always empty here. */
export const emptyList = z.array(z.never()).meta({ description: 'Always empty' });

/** The type of an answer, read-only: views contain parts of the state and must not change them. */
export type Shown<S extends z.ZodType> = Frozen<z.output<S>>;

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
