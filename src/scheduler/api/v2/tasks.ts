/** `/v2/tasks`, and the tasks of one app. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { TaskFilter } from '../../decide/inputs.ts';
import { fieldErrors } from '../../domain/field-errors.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import { type Api, type ApiOptions, json, queriesOf, queryOf, text } from '../answers.ts';
import { haproxyText } from '../endpoints.ts';
import { appsOf, wantsText } from '../views.ts';
import {
  cacheable,
  cacheableList,
  flagOf,
  invalid,
  type Paging,
  pageOf,
  pagingOf,
  pickFields,
  refused,
  unknownApp,
} from './answers.ts';
import { type Part, partOf } from './parts.ts';
import { suspendedJson, taskJson, tasksJson } from './views.ts';

const MAX_IDS = 100_000;
export const deletion = z.object(
  { ids: z.array(z.string(), { error: 'must be an array of strings' }).max(MAX_IDS) },
  { error: 'must be a JSON object with ids' },
);

export function addTaskRoutes(api: Api, options: ApiOptions): void {
  const { runner } = options;
  api.get('/v2/tasks', async (request, reply) => {
    if (wantsText(request))
      return text(reply, await runner.read((state) => haproxyText(appsOf(state), networksIn(request))));
    const wanted = [...queriesOf(request, 'status'), ...queriesOf(request, 'status[]')];
    const agent = queryOf(request, 'agent');
    const isWanted = (task: Task) =>
      (wanted.length === 0 || wanted.includes(statusOf(task))) &&
      (agent === undefined || task.agentId === agent);
    const paging = pagingOf(request);
    if (
      wanted.length === 0 &&
      agent === undefined &&
      paging.cursor === undefined &&
      paging.limit === undefined
    ) {
      const parts = await runner.read((state) => taskParts(appsOf(state), paging));
      return cacheableList(request, reply, 'tasks', parts);
    }
    const { tasks, next } = await runner.read((state) => {
      const tasks = [...state.apps.values()].flatMap((record) =>
        [...record.tasks.values()]
          .filter(isWanted)
          .map((task) => ({ id: task.id, show: () => taskJson(record, task) }))
          .concat(
            (wanted.length === 0 && agent === undefined ? suspendedJson(record) : []).map((one) => ({
              id: one.id,
              show: () => one,
            })),
          ),
      );
      tasks.sort((a, b) => (a.id < b.id ? -1 : 1));
      const { page, next } = pageOf(paging, tasks, ({ id }) => id);
      return { tasks: page.map(({ show }) => pickFields(show(), paging)), next };
    });
    return cacheable(request, reply, { tasks, ...(next !== undefined && { next }) });
  });
  api.post('/v2/tasks/delete', async (request, reply) => {
    const parsed = deletion.safeParse(request.body);
    if (!parsed.success) return invalid(reply, fieldErrors(parsed.error));
    return kill(request, reply, options, { taskIds: new Set(parsed.data.ids) }, (tasks) => ({ tasks }));
  });
}

/** Formats the tasks of apps, for each app with tasks as one cached part of a list. */
export function taskParts(records: readonly AppRecord[], paging: Paging): Part[] {
  const kind = JSON.stringify(['tasks', paging.fields && [...paging.fields]]);
  const show = (record: AppRecord) =>
    tasksJson(record)
      .map((task) => JSON.stringify(pickFields(task, paging)))
      .join();
  return records.map((record) => partOf(record, kind, show)).filter(({ length }) => length > 0);
}

export async function getAppTasks(
  request: FastifyRequest,
  reply: FastifyReply,
  { runner }: ApiOptions,
  appId: string,
): Promise<FastifyReply> {
  if (wantsText(request)) {
    const found = await runner.read((state) => {
      const record = state.apps.get(appId);
      return record && haproxyText([record], networksIn(request));
    });
    return found === undefined ? unknownApp(reply, appId) : text(reply, found);
  }
  const tasks = await runner.read((state) => {
    const record = state.apps.get(appId);
    return record && tasksJson(record);
  });
  return tasks ? cacheable(request, reply, { tasks }) : unknownApp(reply, appId);
}

/** Kills one task of an app, its tasks on a host, or all of them. */
export async function deleteAppTasks(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ApiOptions,
  appId: string,
  taskId: string | undefined,
): Promise<FastifyReply> {
  const isThere = await options.runner.read((state) => {
    const record = state.apps.get(appId);
    return (
      record && (record.tasks.has(taskId ?? '') || suspendedJson(record).some(({ id }) => id === taskId))
    );
  });
  if (isThere === undefined) return unknownApp(reply, appId);
  if (taskId !== undefined && !isThere)
    return json(reply, { message: `Task '${taskId}' does not exist` }, 404);
  const filter = taskId === undefined ? { appId, host: queryOf(request, 'host') ?? '*' } : { appId, taskId };
  return kill(request, reply, options, filter, (tasks) =>
    taskId === undefined ? { tasks } : { task: tasks[0] ?? null },
  );
}

async function kill(
  request: FastifyRequest,
  reply: FastifyReply,
  { runner }: ApiOptions,
  filter: TaskFilter,
  answer: (tasks: unknown[]) => unknown,
): Promise<FastifyReply> {
  const scale = flagOf(request, 'scale');
  const wipe = flagOf(request, 'wipe');
  if (scale && wipe) return json(reply, { message: 'You cannot use scale and wipe at the same time.' }, 400);
  const before = await runner.read((state) => matching(state, filter));
  const force = flagOf(request, 'force');
  const result = await runner.submit({ type: 'kill_tasks', filter, scale, force, wipe });
  if (result?.type !== 'killed') return refused(reply, result);
  if (result.plan) return json(reply, { version: result.plan.version, deploymentId: result.plan.id });
  return json(reply, answer(result.tasks.map(({ id }) => before.get(id) ?? { id })));
}

/** @returns the tasks in their state before the kill */
function matching(state: State, { appId, taskIds, taskId }: TaskFilter): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const records = appId === undefined ? appsOf(state) : [state.apps.get(appId)];
  for (const record of records) {
    for (const task of record?.tasks.values() ?? []) {
      if (taskIds && !taskIds.has(task.id)) continue;
      if (taskId !== undefined && taskId !== task.id) continue;
      if (record) found.set(task.id, taskJson(record, task));
    }
    for (const one of record ? suspendedJson(record) : []) found.set(one.id, one);
  }
  return found;
}

/** @returns the names in `containerNetworks`, separated by commas; undefined without it */
function networksIn(request: FastifyRequest): ReadonlySet<string> | undefined {
  const names = queryOf(request, 'containerNetworks');
  return names === undefined ? undefined : new Set(names.split(',').map((name) => name.trim()));
}

function statusOf({ state }: Task): string {
  return state === 'TASK_STAGING' || state === 'TASK_STARTING' ? 'staging' : 'running';
}
