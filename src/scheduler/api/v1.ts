/** Marathon's v1 API, as it was in 2013. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Input, Reply } from '../decide/inputs.ts';
import { appJson } from '../decide/views.ts';
import type { AppRecord } from '../domain/state.ts';
import { type Api, type ApiOptions, json, queryOf, respond, text } from './answers.ts';
import { type Parsed, parseApp, parseScale, parseStop } from './schemas.ts';
import { appsOf, endpointsJson, endpointsText, taskJson, tasksOf } from './views.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

export function addV1Routes(api: Api, options: ApiOptions): void {
  const { runner, random } = options;
  const post = <T>(path: string, parse: (body: unknown) => Parsed<T>, toInput: (value: T) => Input) =>
    api.post(path, async (request, reply) => {
      const parsed = parse(request.body);
      if ('errors' in parsed) return json(reply, parsed, 422);
      return answer(reply, await runner.submit(toInput(parsed.value)));
    });
  post('/v1/apps/start', parseApp, (app) => ({ type: 'start', app, seed: random() }));
  post('/v1/apps/stop', parseStop, ({ id }) => ({ type: 'stop', appId: id }));
  post('/v1/apps/scale', parseScale, ({ id, instances }) => ({ type: 'scale', appId: id, instances }));

  api.get('/v1/apps', async (_request, reply) =>
    json(reply, await runner.read((state) => appsOf(state).map(({ app }) => appJson(app)))),
  );
  api.get('/v1/apps/search', async (request, reply) => {
    const id = (queryOf(request, 'id') ?? '').toLowerCase();
    const cmd = (queryOf(request, 'cmd') ?? '').toLowerCase();
    const found = await runner.read((state) =>
      appsOf(state)
        .filter(({ app }) => app.id.toLowerCase().includes(id) && app.cmd.toLowerCase().includes(cmd))
        .map(({ app }) => appJson(app)),
    );
    return json(reply, found);
  });
  api.get('/v1/apps/:id/tasks', async (request: ById, reply) => {
    const { id } = request.params;
    const tasks = await runner.read((state) => mapApp(state.apps.get(id), tasksOf));
    return tasks ? json(reply, { [id]: tasks }) : unknownApp(reply, id);
  });
  api.get('/v1/tasks', async (_request, reply) =>
    json(
      reply,
      await runner.read((state) =>
        Object.fromEntries(appsOf(state).map((record) => [record.app.id, tasksOf(record)])),
      ),
    ),
  );
  api.post('/v1/tasks/kill', async (request, reply) => {
    const appId = queryOf(request, 'appId');
    const host = queryOf(request, 'host');
    const taskId = queryOf(request, 'id');
    const filter = {
      ...(appId !== undefined && { appId }),
      ...(host !== undefined && { host }),
      ...(taskId !== undefined && { taskId }),
    };
    const scale = queryOf(request, 'scale') === 'true';
    return answer(reply, await runner.submit({ type: 'kill_tasks', filter, scale }));
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
      const found = await runner.read((state) => mapApp(state.apps.get(id), endpointsJson));
      return found ? json(reply, found) : unknownApp(reply, id);
    }
    const found = await runner.read((state) =>
      mapApp(state.apps.get(id), (record) => endpointsText([record], endpointsPortSuffix)),
    );
    return found === undefined ? text(reply, `App '${id}' does not exist`, 404) : text(reply, found);
  });

  api.get('/v1/debug/isLeader', async (_request, reply) => json(reply, true));
  api.get('/v1/debug/leaderUrl', async (_request, reply) => json(reply, options.leader()));
}

function mapApp<T>(record: AppRecord | undefined, read: (record: AppRecord) => T): T | undefined {
  return record && read(record);
}

function answer(reply: FastifyReply, result: Reply | undefined): FastifyReply {
  switch (result?.type) {
    case 'invalid':
      return json(reply, { errors: result.errors }, 422);
    case 'unknown_app':
      return unknownApp(reply, result.appId);
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

/** Text unless JSON is asked for by name: the 2013 scripts send no Accept, or any. */
function wantsJson(request: FastifyRequest): boolean {
  const types = (request.headers.accept ?? '')
    .toLowerCase()
    .split(',')
    .map((entry) => entry.split(';')[0]?.trim());
  return types.includes('application/json') && !types.includes('text/plain');
}
