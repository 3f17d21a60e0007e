/**
 * Reads apps from Marathon's answers: leaves out the fields that Marathon adds, and lists fields that this scheduler
 * does not support. Source of the fields: the RAML of Marathon 1.11.
 */

import '../linear-patterns.ts';
import { isJson, type Json } from '../../json.ts';
import { absoluteId, findIdProblem, parentOf, ROOT } from '../domain/app-id.ts';
import { readDefinition } from '../domain/definition.ts';
import type { FieldError } from '../domain/field-errors.ts';
import { ADDED_FIELDS, findRefused } from '../domain/unheeded-fields.ts';

/** A remark on a field of an app, a group or a pod. */
export interface Remark {
  readonly id: string;
  /** For example `healthChecks[0].path`. */
  readonly field: string;
  readonly why: string;
}

export interface MarathonApps {
  /** Bodies for `PUT /v2/apps`, with absolute ids. */
  readonly apps: readonly (Json & { readonly id: string })[];
  /** The apps as Marathon shows them, by id. */
  readonly shown: ReadonlyMap<string, Json>;
  /** Problems that prevent the import. */
  readonly problems: readonly Remark[];
  /** Fields that the scheduler refuses; `apps` are without them. */
  readonly unsupported: readonly Remark[];
  /** Fields that the scheduler accepts without effect. */
  readonly warnings: readonly Remark[];
}

interface CollectedApp {
  readonly id: string;
  readonly fields: Json;
  readonly shown: Json;
}

/**
 * @param answer of `GET /v2/groups` or `GET /v2/apps`, complete or a part of it
 * @returns undefined if it is neither
 */
export function readMarathon(answer: unknown): MarathonApps | undefined {
  const unsupported: Remark[] = [];
  const root = Array.isArray(answer) ? { apps: answer as unknown[] } : answer;
  if (!isJson(root) || !(Array.isArray(root.apps) || Array.isArray(root.groups))) return undefined;
  const found = [...collectApps(root, ROOT, [], unsupported)];
  const problems: Remark[] = [];
  const warnings: Remark[] = [];
  const seen = new Set<string>();
  const apps = found.map(({ id, fields }) => {
    if (seen.has(id)) problems.push({ id, field: 'id', why: 'is used by two apps' });
    seen.add(id);
    const refused = findRefused(fields);
    const app = refused.reduce((rest, { path }) => withoutField(rest, path) as Json, fields);
    const read = readDefinition({ ...app, id });
    const wrongId = findIdProblem(id);
    if (wrongId !== undefined) problems.push({ id, field: 'id', why: wrongId });
    unsupported.push(...remarksOn(id, refused));
    problems.push(...remarksOn(id, 'errors' in read ? read.errors : []));
    warnings.push(...remarksOn(id, 'errors' in read ? [] : read.warnings));
    return { ...app, id };
  });
  const all = new Map(found.map(({ id, shown }) => [id, shown]));
  return { apps, shown: all, problems, unsupported, warnings };
}

/** Copies the dependencies of groups to their apps, so that only apps are imported and no groups are changed. */
function* collectApps(
  group: Json,
  base: string,
  inherited: readonly string[],
  unsupported: Remark[],
): Generator<CollectedApp> {
  const groupId = typeof group.id === 'string' ? absoluteId(group.id, base) : base;
  const dependencies = [...inherited, ...textsIn(group.dependencies).map((one) => absoluteId(one, groupId))];
  for (const pod of objectsIn(group.pods)) {
    const id = absoluteId(String(pod.id ?? ''), groupId);
    unsupported.push({ id, field: 'pods', why: 'are not supported: create an app for each container' });
  }
  if (group.enforceRole === true) {
    unsupported.push({
      id: groupId,
      field: 'enforceRole',
      why: 'is not supported: the scheduler has one role, --mesos_role',
    });
  }
  for (const app of objectsIn(group.apps)) {
    const id = absoluteId(String(app.id ?? ''), groupId);
    const own = Object.entries(app).filter(([name, value]) => !ADDED_FIELDS.has(name) && value !== null);
    const fields: Json = Object.fromEntries(own);
    if (dependencies.length > 0) {
      const named = textsIn(app.dependencies).map((one) => absoluteId(one, parentOf(id)));
      fields.dependencies = [...new Set([...named, ...dependencies])];
    }
    yield { id, fields, shown: app };
  }
  for (const inner of objectsIn(group.groups)) yield* collectApps(inner, groupId, dependencies, unsupported);
}

function remarksOn(id: string, errors: readonly FieldError[]): Remark[] {
  return errors.map(({ path, error }) => ({ id, field: fieldOf(path), why: error }));
}

/** @returns the value without the field at the path; without the whole variable, if its value is a secret */
function withoutField(value: unknown, path: FieldError['path']): unknown {
  const [part, ...rest] = path[0] === 'env' ? path.slice(0, 2) : path;
  if (Array.isArray(value)) return value.map((one, i) => (i === part ? withoutField(one, rest) : one));
  if (!isJson(value)) return value;
  if (rest.length > 0) return { ...value, [String(part)]: withoutField(value[String(part)], rest) };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== part));
}

/** `['a', 0, 'b']` as `a[0].b`. */
export function fieldOf(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

function objectsIn(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
