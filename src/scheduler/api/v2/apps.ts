/** `/v2/apps`. Ids are paths, so one route matches everything below; the last segments select a part of an app. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { isJson, type Json } from '../../../json.ts';
import type { Change, DeploymentPlan } from '../../decide/inputs.ts';
import type { App } from '../../domain/app.ts';
import { absoluteId, findIdProblem, isWithin } from '../../domain/app-id.ts';
import { readDefinition } from '../../domain/definition.ts';
import type { FieldError, FieldPath } from '../../domain/field-errors.ts';
import type { State } from '../../domain/state.ts';
import { type Api, type ApiOptions, clientOf, json, queriesOf, queryOf, text } from '../answers.ts';
import { haproxyText } from '../endpoints.ts';
import { appsOf, wantsText } from '../views.ts';
import {
  cacheable,
  cacheableList,
  flagOf,
  invalid,
  pageOf,
  pagingOf,
  refused,
  unknownApp,
} from './answers.ts';
import type { ChangeJson, PlanJson } from './deployment-schemas.ts';
import { stepsJson } from './deployment-views.ts';
import { labelSelector } from './label-selector.ts';
import { explainApp } from './queue.ts';
import { deleteAppTasks, getAppTasks } from './tasks.ts';
import { appJson, appParts, definitionJson, type Embed, warningsJson } from './views.ts';

type ByPath = FastifyRequest<{ Params: { '*': string } }>;

export const EMBEDS: readonly Embed[] = [
  'tasks',
  'counts',
  'deployments',
  'readiness',
  'lastTaskFailure',
  'taskStats',
  'warnings',
];

/** Reads the additional data that a client requests with `embed=<prefix>.<name>`. */
export function embedsOf(request: FastifyRequest, prefix: string, preset: readonly Embed[]): Set<Embed> {
  const names = queriesOf(request, 'embed').map((name) => name.replace('failures', 'lastTaskFailure'));
  return new Set([...preset, ...EMBEDS.filter((one) => names.includes(`${prefix}.${one}`))]);
}

export function addAppRoutes(api: Api, options: ApiOptions): void {
  const { runner } = options;
  api.get('/v2/apps', async (request, reply) => {
    if (wantsText(request)) return text(reply, await runner.read((state) => haproxyText(appsOf(state))));
    const filter = filterOf(request);
    if (!filter) return invalid(reply, [{ path: ['label'], error: 'is not a label selector' }]);
    const embeds = embedsOf(request, 'apps', ['counts', 'deployments']);
    const paging = pagingOf(request);
    const { parts, next } = await runner.read((state) => {
      const apps = appsOf(state).filter(({ app }) => filter(app));
      const { page, next } = pageOf(paging, apps, ({ app }) => app.id);
      return { parts: appParts(page, embeds, state.settings.role, paging), next };
    });
    return cacheableList(request, reply, 'apps', parts, { next });
  });
  api.post('/v2/apps', async (request, reply) => {
    const read = readDefinition(request.body);
    if ('errors' in read) return invalid(reply, read.errors);
    const { definition, warnings } = read;
    const app = { ...definition, id: absoluteId(definition.id) };
    const problem = findIdProblem(app.id);
    if (problem !== undefined) return invalid(reply, [{ path: ['id'], error: problem }]);
    const change: Change = { op: 'create', app, api: 'v2', warnings };
    return deploy(request, reply, options, [change], async (plan) => {
      const embeds: ReadonlySet<Embed> = new Set(['counts', 'deployments', 'tasks']);
      const made = await runner.read((state) => {
        const record = state.apps.get(app.id);
        return record && appJson(record, embeds, state.settings.role);
      });
      const deployments = [{ id: plan.id }];
      return json(reply, { ...made, deployments }, 201, { Location: `/v2/apps${app.id}`, ...idOf(plan) });
    });
  });
  for (const method of ['PUT', 'PATCH'] as const) {
    api.route({
      method,
      url: '/v2/apps',
      handler: async (request, reply) => {
        const bodies: unknown = request.body;
        if (!Array.isArray(bodies) || !bodies.every(hasId)) {
          return invalid(reply, [{ path: [], error: 'must be an array of apps with ids' }]);
        }
        const errors = bodies.flatMap((fields, i) => findVersionProblems(fields, [i]));
        if (errors.length > 0) return invalid(reply, errors);
        const changes = bodies.map((fields, i) => changeOf(request, absoluteId(fields.id), fields, [i]));
        return deploy(request, reply, options, changes);
      },
    });
    api.route({
      method,
      url: '/v2/apps/*',
      handler: async (request, reply) => {
        const { appId, part } = routeOf(request as ByPath);
        if (part !== undefined) return notFound(request, reply);
        const fields: unknown = request.body;
        if (!isJson(fields)) return invalid(reply, [{ path: [], error: 'must be a JSON object' }]);
        const errors = findVersionProblems(fields, []);
        if (errors.length > 0) return invalid(reply, errors);
        const isThere = await runner.read((state) => state.apps.has(appId));
        const location = isThere ? {} : { Location: `/v2/apps${appId}` };
        return deploy(request, reply, options, [changeOf(request, appId, fields)], async (plan) =>
          json(reply, changed(plan), isThere ? 200 : 201, { ...location, ...idOf(plan) }),
        );
      },
    });
  }
  api.get('/v2/apps/*', async (request: ByPath, reply) => {
    const { appId, part, rest } = routeOf(request);
    switch (part) {
      case undefined:
        return getApp(request, reply, options, appId);
      case '*':
        return getWithin(request, reply, options, appId);
      case 'tasks':
        return rest === undefined ? getAppTasks(request, reply, options, appId) : notFound(request, reply);
      case 'versions':
        return getVersions(reply, options, appId, rest);
      case 'explain':
        return explainApp(request, reply, options, appId);
      default:
        return notFound(request, reply);
    }
  });
  api.post('/v2/apps/*', async (request: ByPath, reply) => {
    const { appId, part } = routeOf(request);
    if (part !== 'restart') return notFound(request, reply);
    return deploy(request, reply, options, [{ op: 'restart', appId }]);
  });
  api.delete('/v2/apps/*', async (request: ByPath, reply) => {
    const { appId, part, rest } = routeOf(request);
    if (part === 'tasks') return deleteAppTasks(request, reply, options, appId, rest);
    if (part !== undefined) return notFound(request, reply);
    return deploy(request, reply, options, [{ op: 'remove', appId }]);
  });
}

/** Submits a change, and answers with its deployment or with `answer`. */
export async function deploy(
  request: FastifyRequest,
  reply: FastifyReply,
  { runner, random }: ApiOptions,
  changes: readonly Change[],
  answer?: (plan: DeploymentPlan) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const version = queryOf(request, 'ifVersion');
  const [only] = changes;
  const appId = changes.length === 1 && only && 'appId' in only ? only.appId : undefined;
  if (version !== undefined && appId === undefined) {
    return invalid(reply, [
      { path: ['ifVersion'], error: 'is possible for a change of one existing app only' },
    ]);
  }
  const dryRun = flagOf(request, 'dryRun');
  const force = flagOf(request, 'force');
  const result = await runner.submit({
    type: 'change',
    changes,
    force,
    dryRun,
    seed: random(),
    client: clientOf(request),
    ...(version !== undefined && appId !== undefined && { expected: { appId, version } }),
  });
  if (result?.type !== 'deployed') return refused(reply, result);
  const { plan, drafted = [] } = result;
  if (dryRun && !queriesOf(request, 'embed').includes('draft')) {
    return json(reply, { steps: stepsJson(plan.steps) });
  }
  if (dryRun) {
    const role = await runner.read((state) => state.settings.role);
    return json(reply, draftJson(plan, drafted, role));
  }
  return answer ? answer(plan) : json(reply, changed(plan), 200, idOf(plan));
}

function draftJson({ steps }: DeploymentPlan, drafted: readonly App[], role: string): PlanJson {
  const warnings = drafted.flatMap((app) => warningsJson(app).map((one) => ({ app: app.id, ...one })));
  return { steps: stepsJson(steps), apps: drafted.map((app) => definitionJson(app, role)), warnings };
}

function changed({ version, id }: DeploymentPlan): ChangeJson {
  return { version, deploymentId: id };
}

function idOf({ id }: DeploymentPlan): Record<string, string> {
  return { 'Marathon-Deployment-Id': id };
}

/** A version selects an earlier definition, so nothing else can be changed with it. */
function findVersionProblems(fields: Json, path: FieldPath): FieldError[] {
  const other = Object.keys(fields).find((name) => !/^(id|version)$/.test(name) && fields[name] !== null);
  if ((fields.version ?? null) === null || other === undefined) return [];
  const error = `reverts the app to that version: leave it out to change ${other}`;
  return [{ path: [...path, 'version'], error }];
}

/** Interprets PUT or PATCH of an app: with only a version it reverts to that version, otherwise it changes fields. */
function changeOf(
  request: FastifyRequest,
  appId: string,
  fields: Record<string, unknown>,
  path: FieldPath = [],
): Change {
  const { id, version, versionInfo: _info, ...sent } = fields;
  if (typeof version === 'string' && Object.keys(sent).length === 0) return { op: 'revert', appId, version };
  const upsert = request.method === 'PUT';
  const partial = !upsert || flagOf(request, 'partialUpdate', true);
  return { op: 'update', appId, fields: { ...sent, ...(id !== undefined && { id }) }, partial, upsert, path };
}

interface AppRoute {
  readonly appId: string;
  readonly part?: 'tasks' | 'versions' | 'restart' | 'explain' | '*';
  /** The segment after the part. */
  readonly rest?: string;
}

/** Splits a path below `/v2/apps/` into id and part; ids can't end in the name of a part. */
function routeOf(request: ByPath): AppRoute {
  const segments = request.params['*'].split('/').filter((segment) => segment !== '');
  const last = segments.at(-1);
  switch (last) {
    case 'tasks':
    case 'versions':
    case 'restart':
    case 'explain':
    case '*':
      return { appId: absoluteId(segments.slice(0, -1).join('/')), part: last };
  }
  const before = segments.at(-2);
  if (last !== undefined && segments.length > 2 && (before === 'tasks' || before === 'versions')) {
    return { appId: absoluteId(segments.slice(0, -2).join('/')), part: before, rest: last };
  }
  return { appId: absoluteId(segments.join('/')) };
}

async function getApp(request: FastifyRequest, reply: FastifyReply, { runner }: ApiOptions, appId: string) {
  // Marathon always shows these for a single app.
  const embeds = embedsOf(request, 'app', ['counts', 'deployments', 'tasks', 'lastTaskFailure']);
  const app = await runner.read((state) => {
    const record = state.apps.get(appId);
    return record && appJson(record, embeds, state.settings.role);
  });
  return app ? cacheable(request, reply, { app }) : unknownApp(reply, appId);
}

/** `GET /v2/apps/group/*`: the apps of a group, at any depth. */
async function getWithin(
  request: FastifyRequest,
  reply: FastifyReply,
  { runner }: ApiOptions,
  groupId: string,
) {
  const embeds = embedsOf(request, 'apps', ['counts', 'deployments', 'tasks']);
  const parts = await runner.read((state) => {
    const apps = appsOf(state).filter(({ app }) => isWithin(app.id, groupId));
    return appParts(apps, embeds, state.settings.role);
  });
  return cacheableList(request, reply, '*', parts);
}

async function getVersions(
  reply: FastifyReply,
  { runner }: ApiOptions,
  appId: string,
  version: string | undefined,
) {
  const versions = await runner.read((state: State) =>
    state.apps.get(appId)?.versions.map((one) => definitionJson(one, state.settings.role)),
  );
  if (!versions) return unknownApp(reply, appId);
  if (version === undefined) return json(reply, { versions: versions.map((one) => one.version).reverse() });
  const found = versions.find((one) => one.version === version);
  return found ? json(reply, found) : refused(reply, { type: 'unknown_version', appId, version });
}

/** @returns undefined if `label` is not a valid selector */
function filterOf(request: FastifyRequest): ((app: App) => boolean) | undefined {
  const cmd = queryOf(request, 'cmd')?.toLowerCase();
  const id = queryOf(request, 'id')?.toLowerCase();
  const label = queryOf(request, 'label');
  const selects = label === undefined || label === '' ? () => true : labelSelector(label);
  if (!selects) return undefined;
  return (app) =>
    (cmd === undefined || (app.cmd ?? '').toLowerCase().includes(cmd)) &&
    (id === undefined || app.id.toLowerCase().includes(id)) &&
    selects(app.labels);
}

function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return json(reply, { message: `There is nothing at ${request.method} ${request.url}` }, 404);
}

function hasId(value: unknown): value is Record<string, unknown> & { id: string } {
  return isJson(value) && typeof value.id === 'string';
}
