/**
 * What Marathon says of its apps, as apps to be put here: without what it adds by itself, with what it has and this
 * scheduler has not told apart. Source of the fields: Marathon 1.11's RAML.
 */

import '../linear-patterns.ts';
import { absoluteId, findIdProblem, parentOf, ROOT } from '../domain/app-id.ts';
import { appSchema } from '../domain/app-schema.ts';
import { fieldErrors } from '../domain/field-errors.ts';
import { isJson, type Json } from '../domain/json.ts';
import { renameLegacyFields, withPorts } from '../domain/legacy-fields.ts';
import { findUnsupported, withoutSecrets } from './unsupported.ts';

/** Something about a field of an app, or of a group or pod. */
export interface Remark {
  readonly id: string;
  /** Such as `healthChecks[0].path`. */
  readonly field: string;
  readonly why: string;
}

export interface MarathonApps {
  /** Bodies of `PUT /v2/apps`, by their absolute ids. */
  readonly apps: readonly (Json & { readonly id: string })[];
  /** For these nothing can be imported. */
  readonly problems: readonly Remark[];
  /** What is lost when it is imported. */
  readonly unsupported: readonly Remark[];
}

/** What Marathon adds to a definition where it shows it. */
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
 * @param answer of `GET /v2/groups` or `GET /v2/apps`, of the whole of Marathon or a part
 * @returns undefined where it is neither
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

/** What a group depends on is what each app in it depends on: so apps alone need be put, and no others are touched. */
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
    unsupported.push({ id, field: 'pods', why: 'pods are not supported: create an app for each container' });
  }
  if (group.enforceRole === true) {
    unsupported.push({ id: groupId, field: 'enforceRole', why: 'the scheduler has one role, --mesos_role' });
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
