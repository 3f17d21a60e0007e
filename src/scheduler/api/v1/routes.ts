/** Marathon's v1 API of 2013. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Change, Input, Reply } from '../../decide/inputs.ts';
import { v1Json } from '../../decide/tasks/v1-json.ts';
import { flatId } from '../../domain/app-id.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import { type Api, type ApiOptions, clientOf, json, queryOf, respond, text } from '../answers.ts';
import { endpointsJson, endpointsText } from '../endpoints.ts';
import { appsOf, taskJson, tasksOf } from '../views.ts';
import type { V1AppJson } from './answer-schemas.ts';
import { type Parsed, parseApp, parseScale, parseStop } from './request-schemas.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

export function addV1Routes(api: Api, options: ApiOptions): void {
  const { runner, random } = options;
  const post = <T>(
    path: string,
    parse: (body: unknown) => Parsed<T>,
    toInput: (state: State, value: T) => Input,
  ) =>
    api.post(path, async (request, reply) => {
      const parsed = parse(request.body);
      if ('errors' in parsed) return json(reply, parsed, 422);
      const input = await runner.read((state) => toInput(state, parsed.value));
      const client = clientOf(request);
      return answer(reply, await runner.submit(input.type === 'change' ? { ...input, client } : input));
    });
  // Forced, since v1 has no deployments and no conflicts with them.
  const changed = (change: Change): Input => ({
    type: 'change',
    changes: [change],
    force: true,
    seed: random(),
  });
  post('/v1/apps/start', parseApp, (_state, app) => changed({ op: 'create', app, api: 'v1' }));
  post('/v1/apps/stop', parseStop, (state, { id }) => changed({ op: 'remove', appId: idOf(state, id) }));
  post('/v1/apps/scale', parseScale, (state, { id, instances }) =>
    changed({ op: 'scale', appId: idOf(state, id), instances }),
  );

  api.get('/v1/apps', async (_request, reply) => json(reply, await runner.read(v1Apps)));
  api.get('/v1/apps/search', async (request, reply) => {
    const id = (queryOf(request, 'id') ?? '').toLowerCase();
    const cmd = (queryOf(request, 'cmd') ?? '').toLowerCase();
    const found = await runner.read((state) =>
      v1Apps(state).filter((app) => app.id.toLowerCase().includes(id) && app.cmd.toLowerCase().includes(cmd)),
    );
    return json(reply, found);
  });
  api.get('/v1/apps/:id/tasks', async (request: ById, reply) => {
    const { id } = request.params;
    const tasks = await runner.read((state) => mapApp(recordOf(state, id), tasksOf));
    return tasks ? json(reply, { [id]: tasks }) : unknownApp(reply, id);
  });
  api.get('/v1/tasks', async (_request, reply) =>
    json(
      reply,
      await runner.read((state) =>
        Object.fromEntries(appsOf(state).map((record) => [flatId(record.app.id), tasksOf(record)])),
      ),
    ),
  );
  api.post('/v1/tasks/kill', async (request, reply) => {
    const appId = queryOf(request, 'appId');
    const host = queryOf(request, 'host');
    const taskId = queryOf(request, 'id');
    const filter = {
      ...(appId !== undefined && {
        appId: appId === '*' ? appId : await runner.read((state) => idOf(state, appId)),
      }),
      ...(host !== undefined && { host }),
      ...(taskId !== undefined && { taskId }),
    };
    const scale = queryOf(request, 'scale') === 'true';
    return answer(reply, await runner.submit({ type: 'kill_tasks', filter, scale, force: true }));
  });

  api.get('/v1/endpoints', async (request, reply) => {
    if (wantsJson(request)) {
      return json(reply, await runner.read((state) => appsOf(state).map(endpointsJson)));
    }
    const { endpointsPortSuffix } = options;
    return text(reply, await runner.read((state) => endpointsText(appsOf(state), endpointsPortSuffix)));
  });
  api.get('/v1/endpoints/:id', async (request: ById, reply) => {
    const { id } = request.params;
    const { endpointsPortSuffix } = options;
    if (wantsJson(request)) {
      const found = await runner.read((state) => mapApp(recordOf(state, id), endpointsJson));
      return found ? json(reply, found) : unknownApp(reply, id);
    }
    const found = await runner.read((state) =>
      mapApp(recordOf(state, id), (record) => endpointsText([record], endpointsPortSuffix)),
    );
    return found === undefined ? text(reply, `App '${id}' does not exist`, 404) : text(reply, found);
  });

  api.get('/v1/debug/isLeader', async (_request, reply) => json(reply, true));
  api.get('/v1/debug/leaderUrl', async (_request, reply) => json(reply, options.leader()));
}

function v1Apps(state: State): V1AppJson[] {
  return appsOf(state).map(({ app }) => v1Json(app));
}

/** Finds an app by its v1 name: `a_b` is `/a_b` or else `/a/b`. */
function recordOf(state: State, name: string): AppRecord | undefined {
  const named = state.apps.get(`/${name}`);
  if (named || !name.includes('_')) return named;
  return [...state.apps.values()].find(({ app }) => flatId(app.id) === name);
}

function idOf(state: State, name: string): string {
  return recordOf(state, name)?.app.id ?? `/${name}`;
}

function mapApp<T>(record: AppRecord | undefined, read: (record: AppRecord) => T): T | undefined {
  return record && read(record);
}

function answer(reply: FastifyReply, result: Reply | undefined): FastifyReply {
  switch (result?.type) {
    case 'invalid': {
      const errors = result.errors.map(({ path, error }) => ({ attribute: path.join('.'), error }));
      return json(reply, { errors }, 422);
    }
    case 'exists': {
      const error = `Already started app '${flatId(result.appId)}'`;
      return json(reply, { errors: [{ attribute: 'id', error }] }, 422);
    }
    case 'unknown_app':
      return unknownApp(reply, flatId(result.appId));
    case 'killed':
      if (result.tasks.length === 0) return json(reply, { message: 'No tasks matched your filters' }, 404);
      return json(reply, result.tasks.map(taskJson));
    default:
      return respond(reply, 204, { 'Content-Type': 'application/json' });
  }
}

function unknownApp(reply: FastifyReply, id: string): FastifyReply {
  return json(reply, { message: `Unknown app '${id}'` }, 404);
}

/** True only if the client explicitly requests JSON: the scripts of 2013 send no Accept header or accept anything. */
function wantsJson(request: FastifyRequest): boolean {
  const types = (request.headers.accept ?? '')
    .toLowerCase()
    .split(',')
    .map((entry) => entry.split(';')[0]?.trim());
  return types.includes('application/json') && !types.includes('text/plain');
}
