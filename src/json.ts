/** Reads JSON of which nothing is known yet, and compares it. */

/** A JSON object that has not been validated. */
export type Json = Record<string, unknown>;

/** @returns undefined if the text is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * True of null, false, 0, an empty string or list, and an object of empty values. A field of a later release with such a
 * value is not in use, by the rule for stored fields (src/scheduler/domain/stored-events.ts).
 */
export function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isJson(value) ? Object.values(value).every(isEmpty) : !value;
}

/** Returns JSON with sorted keys at every depth: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isJson(part) ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
