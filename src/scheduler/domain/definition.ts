/** Reads the definition of an app in v2: every part of it is honoured, refused, or named in a warning. */

import { isJson } from '../../json.ts';
import { type AppDefinition, appSchema } from './app-schema.ts';
import { findUnusedChecks } from './checks.ts';
import { findUnusedPorts } from './default-ports.ts';
import { type FieldError, fieldErrors, pathKey } from './field-errors.ts';
import { findLegacyProblems, renameLegacyFields } from './legacy-fields.ts';
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
 */
export function readDefinition(whole: unknown, sent: unknown = whole): ReadDefinition {
  const refused = [...findRefused(sent), ...findLegacyProblems(sent)];
  const parsed = appSchema.safeParse(whole);
  if (parsed.success && refused.length === 0) {
    const definition = withHostPorts(parsed.data);
    const modern = renameLegacyFields(sent);
    const unused = [
      ...findUnusedPorts(modern, definition.networks),
      ...(isJson(modern) && 'healthChecks' in modern ? findUnusedChecks(definition.healthChecks) : []),
    ];
    return { definition, warnings: [...findIgnored(sent, modern, definition), ...unused] };
  }
  const invalid = parsed.success ? [] : fieldErrors(parsed.error);
  // The reason for the refusal of a part is better than that its type is wrong.
  const around = new Set(refused.flatMap(({ path }) => path.map((_, i) => pathKey(path.slice(0, i + 1)))));
  return { errors: [...invalid.filter(({ path }) => !around.has(pathKey(path))), ...refused] };
}
