/** What there is of Marathon's v2 API, and the routes without a version. */

import { type Api, type ApiOptions, json, queriesOf, text } from './answers.ts';
import { metricsJson, queueJson } from './views.ts';

export function addV2Routes(api: Api, options: ApiOptions): void {
  const { runner, events, now } = options;
  api.get('/ping', async (_request, reply) => text(reply, 'pong'));
  api.get('/metrics', async (_request, reply) => {
    const vitals = { uptimeSeconds: process.uptime(), memoryBytes: process.memoryUsage.rss() };
    return json(reply, await runner.read((state) => metricsJson(state, vitals)));
  });
  api.get('/v2/queue', async (_request, reply) =>
    json(reply, await runner.read((state) => queueJson(state, now()))),
  );
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
