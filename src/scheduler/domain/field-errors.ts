import type * as z from 'zod';

/** The names and indexes that lead to a field, outermost first. */
export type FieldPath = readonly (string | number)[];

/** A problem with a field of a request. */
export interface FieldError {
  readonly path: FieldPath;
  readonly error: string;
}

/** Converts the errors of a schema. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.map(({ path, message }) => ({
    path: path.map((part) => (typeof part === 'number' ? part : String(part))),
    error: message,
  }));
}

/** @returns a text that is the same for the same path only, for sets */
export function pathKey(path: FieldPath): string {
  return JSON.stringify(path);
}

/** @returns for example `/healthChecks(0)/path`, as Marathon writes paths */
export function pathText(path: FieldError['path']): string {
  return path.map((part) => (typeof part === 'number' ? `(${part})` : `/${part}`)).join('') || '/';
}
