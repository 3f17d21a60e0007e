/** What the schemas of answers are made of, and the types that follow from them. Answers are not checked by them. */

import * as z from 'zod';

/** ISO 8601 with milliseconds. */
export const time = z.string().meta({ format: 'date-time' });

/** Marathon's fields for what is never there. */
export const emptyList = z.array(z.never()).meta({ description: 'Always empty' });

/** The type of an answer. Views read the state, and change none of it. */
export type Shown<S extends z.ZodType> = Frozen<z.output<S>>;

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
