import type * as z from 'zod';

/** What is wrong with a field of a request. */
export interface FieldError {
  readonly path: readonly (string | number)[];
  readonly error: string;
}

/** What a schema found wrong. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.map(({ path, message }) => ({
    path: path.map((part) => (typeof part === 'number' ? part : String(part))),
    error: message,
  }));
}
