import type * as z from 'zod';

/** A problem with a field of a request. */
export interface FieldError {
  readonly path: readonly (string | number)[];
  readonly error: string;
}

/** Converts the errors of a schema. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.map(({ path, message }) => ({
    path: path.map((part) => (typeof part === 'number' ? part : String(part))),
    error: message,
  }));
}
