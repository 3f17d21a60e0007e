/** Reads the definition of an app in v2: every part of it is honoured, refused, or named in a warning. */

import { isJson, type Json } from '../../json.ts';
import { type AppDefinition, appFields, appSchema, findContradictions, normalizeApp } from './app-schema.ts';
import { findUnusedCheckFields } from './check-rules.ts';
import { findUnusedChecks } from './checks.ts';
import { findUnusedPorts } from './default-ports.ts';
import { findUnextracted } from './fetched-files.ts';
import { type FieldError, fieldErrors, pathKey } from './field-errors.ts';
import { findLegacyProblems, findUnusedLegacyFields, renameLegacyFields } from './legacy-fields.ts';
import { withHostPorts } from './network-rules.ts';
import { findIgnored, findRefused } from './unheeded-fields.ts';

export type ReadDefinition =
  | {
      readonly definition: AppDefinition;
      /** The fields of `sent` that have no effect. */
      readonly warnings: readonly FieldError[];
    }
  | { readonly errors: readonly FieldError[] };

/**
 * @param whole all fields of the definition
 * @param sent the fields that a client sent, which may be a part of them
 * @param stored the definition that these fields change
 */
export function readDefinition(
  whole: unknown,
  sent: unknown = whole,
  stored: AppDefinition | undefined = undefined,
): ReadDefinition {
  const refused = [...findRefused(sent), ...findLegacyProblems(sent)];
  const modern = renameLegacyFields(sent);
  const { read, invalid } = stored ? readUpdated(whole, stored, modern) : readNew(whole);
  if (read && refused.length === 0) {
    const definition = withHostPorts(read);
    const hasChecks = isJson(modern) && 'healthChecks' in modern;
    const unused = [
      ...findUnusedLegacyFields(sent),
      ...(isJson(modern) && 'fetch' in modern ? findUnextracted(definition.fetch) : []),
      ...findUnusedPorts(modern, definition.networks),
      ...(hasChecks ? findUnusedChecks(definition.healthChecks) : []),
      ...(hasChecks ? findUnusedCheckFields(definition.healthChecks) : []),
    ];
    return { definition, warnings: [...findIgnored(sent, modern, definition), ...unused] };
  }
  // The reason for the refusal of a part is better than that its type is wrong.
  const around = new Set(refused.flatMap(({ path }) => path.map((_, i) => pathKey(path.slice(0, i + 1)))));
  return { errors: [...invalid.filter(({ path }) => !around.has(pathKey(path))), ...refused] };
}

interface Read {
  /** Absent if there are invalid fields. */
  readonly read?: AppDefinition;
  readonly invalid: readonly FieldError[];
}

function readNew(whole: unknown): Read {
  const parsed = appSchema.safeParse(whole);
  return parsed.success ? { read: parsed.data, invalid: [] } : { invalid: fieldErrors(parsed.error) };
}

/**
 * Accepts what is wrong with the stored definition already, in fields that stay: another release accepted it, and it must
 * not prevent other changes.
 */
function readUpdated(whole: unknown, stored: AppDefinition, modern: unknown): Read {
  const parsed = readNew(whole);
  if (parsed.read || !isJson(modern)) return parsed;
  const isNew = ({ path }: FieldError) => String(path[0]) in modern;
  const known = new Set(problemsOf(stored, stored).map(errorKey));
  const invalid = problemsOf(whole, stored).filter((one) => isNew(one) || !known.has(errorKey(one)));
  return invalid.length > 0 ? { invalid } : { read: withStored(whole, stored), invalid };
}

function problemsOf(whole: unknown, stored: AppDefinition): FieldError[] {
  const fields = appFields.safeParse(normalizeApp(whole));
  const contradictions = [...findContradictions(withStored(whole, stored))];
  return [
    ...(fields.success ? [] : fieldErrors(fields.error)),
    ...contradictions.map(({ path, message }) => ({ path, error: message })),
  ];
}

function errorKey({ path, error }: FieldError): string {
  return JSON.stringify([path, error]);
}

/** Reads each field, and takes the stored value of one that can't be read. */
function withStored(whole: unknown, stored: AppDefinition): AppDefinition {
  const normal = normalizeApp(whole);
  const read = appFields.safeParse(normal);
  if (read.success) return read.data;
  const fields = isJson(normal) ? normal : {};
  const known: Json = { ...stored };
  const entries = Object.entries(appFields.shape).map(([name, schema]) => {
    const one = schema.safeParse(fields[name]);
    return [name, one.success ? one.data : known[name]] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as AppDefinition;
}
