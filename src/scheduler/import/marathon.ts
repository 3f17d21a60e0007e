/**
 * Reads apps from Marathon's answers: leaves out the fields that Marathon adds, and lists fields that this scheduler
 * does not support. Source of the fields: the RAML of Marathon 1.11.
 */

import '../linear-patterns.ts';
import { isJson, type Json } from '../../json.ts';
import { absoluteId, findIdProblem, parentOf, ROOT } from '../domain/app-id.ts';
import { appSchema } from '../domain/app-schema.ts';
import { fieldErrors } from '../domain/field-errors.ts';
import { renameLegacyFields, withPorts } from '../domain/legacy-fields.ts';
import { findUnsupported, withoutSecrets } from './unsupported.ts';

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
  /** Problems that prevent the import. */
  readonly problems: readonly Remark[];
  /** Fields that the import would lose. */
  readonly unsupported: readonly Remark[];
}

/** Fields that Marathon adds to a definition in its answers. */
const ADDED: ReadonlySet<string> = new Set([
  'version',
  'versionInfo',
  'tasks',
  'tasksStaged',
  'tasksRunning',
  'tasksHealthy',
  'tasksUnhealthy',
  'taskStats',
  'deployments',
  'lastTaskFailure',
  'readinessCheckResults',
]);

interface CollectedApp {
  readonly id: string;
  readonly fields: Json;
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
  const seen = new Set<string>();
  const apps = found.map(({ id, fields }) => {
    if (seen.has(id)) problems.push({ id, field: 'id', why: 'is used by two apps' });
    seen.add(id);
    const { app, secrets } = withoutSecrets(fields);
    unsupported.push(...secrets.map((one) => ({ id, ...one })));
    problems.push(...findProblems(id, app));
    unsupported.push(
      ...findUnsupported(withPorts(renameLegacyFields(app)), app).map((one) => ({ id, ...one })),
    );
    return { ...app, id };
  });
  return { apps, problems, unsupported };
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
    const own = Object.entries(app).filter(([name, value]) => !ADDED.has(name) && value !== null);
    const fields: Json = Object.fromEntries(own);
    if (dependencies.length > 0) {
      const named = textsIn(app.dependencies).map((one) => absoluteId(one, parentOf(id)));
      fields.dependencies = [...new Set([...named, ...dependencies])];
    }
    yield { id, fields };
  }
  for (const inner of objectsIn(group.groups)) yield* collectApps(inner, groupId, dependencies, unsupported);
}

function findProblems(id: string, app: Json): Remark[] {
  const wrongId = findIdProblem(id);
  const parsed = appSchema.safeParse(app);
  const errors = parsed.success ? [] : fieldErrors(parsed.error);
  return [
    ...(wrongId === undefined ? [] : [{ id, field: 'id', why: wrongId }]),
    ...errors
      .filter(({ path }) => path[0] !== 'id')
      .map(({ path, error }) => ({ id, field: fieldOf(path), why: error })),
  ];
}

/** `['a', 0, 'b']` as `a[0].b`. */
function fieldOf(path: readonly (string | number)[]): string {
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
