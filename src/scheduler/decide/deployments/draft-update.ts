/**
 * Combines an update of an app with the stored definition: fields that the update does not name stay. Source of the
 * rules: Marathon's AppConversion and AppNormalization.
 */

import { isJson, type Json } from '../../../json.ts';
import { absoluteId, isWithin, parentOf } from '../../domain/app-id.ts';
import type { AppDefinition } from '../../domain/app-schema.ts';
import { type ReadDefinition, readDefinition } from '../../domain/definition.ts';
import type { FieldError } from '../../domain/field-errors.ts';
import { isContainerNetwork, renameLegacyFields } from '../../domain/legacy-fields.ts';
import type { Change } from '../inputs.ts';

type Update = Pick<Extract<Change, { op: 'update' }>, 'appId' | 'fields' | 'partial'>;

/**
 * @param known the stored definition, if the app exists
 * @returns the new definition, or the problems of the update
 */
export function updateDefinition(
  { appId, fields, partial }: Update,
  known: AppDefinition | undefined,
): ReadDefinition {
  const stored: Json = partial && known ? { ...known } : {};
  const sent = renameLegacyFields(fields, stored) as Json;
  const whole = { ...merge(stored, sent, fields), id: appId };
  const read = readDefinition(whole, fields, partial ? known : undefined);
  const problems = [...findOtherId(appId, sent.id), ...('errors' in read ? read.errors : [])];
  if ('errors' in read || problems.length > 0) return { errors: problems };
  const definition = resolveDependencies(read.definition);
  const isSame = known?.dependencies.join() === definition.dependencies.join();
  const selves = isSame ? [] : findSelfDependencies(definition);
  return selves.length > 0 ? { errors: selves } : { ...read, definition };
}

function merge(stored: Json, sent: Json, fields: Update['fields']): Json {
  const base = { ...stored };
  for (const [name, value] of Object.entries(fields)) if (value === null) delete base[name];
  // cmd and args replace each other.
  if ('cmd' in sent && !('args' in sent)) delete base.args;
  if (Array.isArray(sent.args) && sent.args.length > 0 && !('cmd' in sent)) delete base.cmd;
  const merged = { ...base, ...sent };
  const { container } = merged;
  const wasContainer = isContainerNetwork(stored.networks);
  const isContainer = isContainerNetwork(merged.networks);
  if (wasContainer && !isContainer) {
    if (!('portDefinitions' in sent)) delete merged.portDefinitions;
    if (isJson(container) && !('container' in sent)) {
      const { portMappings: _mappings, ...rest } = container;
      merged.container = rest;
    }
  } else if (!wasContainer && isContainer && isJson(container)) {
    merged.container = withMappings(container, base.portDefinitions);
  }
  return merged;
}

/** Adds a mapping for each port that the app had with host networking, so that it keeps its number of ports. */
function withMappings(container: Json, definitions: unknown): Json {
  const mappings = Array.isArray(container.portMappings) ? container.portMappings : [];
  const ports = Array.isArray(definitions) ? definitions.length : 0;
  if (ports <= mappings.length) return container;
  const added = Array.from({ length: ports - mappings.length }, () => ({}));
  return { ...container, portMappings: [...mappings, ...added] };
}

/** The id in a body may be relative to the app's group, or to the root. */
function findOtherId(appId: string, sent: unknown): FieldError[] {
  if (sent === undefined) return [];
  const isSame =
    typeof sent === 'string' && [absoluteId(sent), absoluteId(sent, parentOf(appId))].includes(appId);
  return isSame ? [] : [{ path: ['id'], error: `differs from ${appId}, the app in the path` }];
}

/** Makes the dependencies absolute; relative ids start at the app's group. */
export function resolveDependencies(definition: AppDefinition): AppDefinition {
  const { id, dependencies } = definition;
  if (dependencies.length === 0) return definition;
  return { ...definition, dependencies: dependencies.map((one) => absoluteId(one, parentOf(id))) };
}

/** @returns a problem for each dependency on the app itself or on a group that contains it */
export function findSelfDependencies({ id, dependencies }: AppDefinition): FieldError[] {
  return dependencies.flatMap((one, i) => {
    if (one !== id && !isWithin(id, one)) return [];
    const error = one === id ? 'is the app itself' : `is ${one}, the group of the app itself`;
    return [{ path: ['dependencies', i], error }];
  });
}

/** @returns a problem for each dependency of a group on itself, on a part of it, or on a group that contains it */
export function findGroupSelfDependencies(groupId: string, dependencies: readonly string[]): FieldError[] {
  return dependencies.flatMap((one, i) => {
    if (one !== groupId && !isWithin(one, groupId) && !isWithin(groupId, one)) return [];
    return [
      { path: ['dependencies', i], error: `is ${one}, so apps of the group would depend on themselves` },
    ];
  });
}
