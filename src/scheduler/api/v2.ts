/** What of Marathon's v2 API is about the scheduler itself, and the routes without a version. */

import { absoluteId } from '../domain/app-id.ts';
import { type Api, type ApiOptions, json, queriesOf, respond, text } from './answers.ts';
import { refused } from './v2-answers.ts';
import { addAppRoutes } from './v2-apps.ts';
import { addDeploymentRoutes } from './v2-deployments.ts';
import { addGroupRoutes } from './v2-groups.ts';
import { addTaskRoutes } from './v2-tasks.ts';
import { metricsJson, queueJson } from './views.ts';

export function addV2Routes(api: Api, options: ApiOptions): void {
  const { runner, events, now } = options;
  addAppRoutes(api, options);
  addTaskRoutes(api, options);
  addDeploymentRoutes(api, options);
  addGroupRoutes(api, options);
  api.get('/ping', async (_request, reply) => text(reply, 'pong'));
  api.get('/metrics', async (_request, reply) => {
    const vitals = { uptimeSeconds: process.uptime(), memoryBytes: process.memoryUsage.rss() };
    return json(reply, await runner.read((state) => metricsJson(state, vitals)));
  });
  api.get('/v2/queue', async (_request, reply) =>
    json(reply, await runner.read((state) => queueJson(state, now()))),
  );
  api.delete('/v2/queue/*', async (request, reply) => {
    const path = (request.params as { '*': string })['*'];
    if (!path.endsWith('/delay')) return json(reply, { message: `There is nothing at ${request.url}` }, 404);
    const appId = absoluteId(path.slice(0, -'/delay'.length));
    const result = await runner.submit({ type: 'lift_delay', appId });
    return result?.type === 'done' ? respond(reply, 204, {}) : refused(reply, result);
  });
  // Of pods, which Marathon's clients ask for, there are none.
  api.get('/v2/pods', async (_request, reply) => json(reply, []));
  // Callbacks are not made; who asks is told that there are none.
  api.get('/v2/eventSubscriptions', async (_request, reply) => json(reply, { callbackUrls: [] }));
  api.get('/v2/info', async (_request, reply) => {
    const { frameworkId, connected } = await runner.read((state) => ({
      frameworkId: state.frameworkId ?? null,
      connected: state.connected,
    }));
    return json(reply, { ...options.info, leader: options.leader(), elected: true, connected, frameworkId });
  });
  // Whoever answers leads.
  api.get('/v2/leader', async (_request, reply) => json(reply, { leader: options.leader() }));
  // A HEAD of it would never be over.
  api.get('/v2/events', { exposeHeadRoute: false }, (request, reply) => {
    reply.hijack();
    events.attach(reply.raw, new Set(queriesOf(request, 'event_type')));
  });
}
