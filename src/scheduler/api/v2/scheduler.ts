/** Routes of Marathon's v2 API about the scheduler itself, and routes without a version. */

import { messageOf } from '../../../mesos/http.ts';
import { urlsOf } from '../../members.ts';
import { type Api, type ApiOptions, json, queriesOf, queryOf, respond, text } from '../answers.ts';
import { isViewer } from '../request-user.ts';
import { metricsJson } from '../views.ts';
import { addAgentListRoute } from './agent-list.ts';
import { addAgentRoutes } from './agents.ts';
import { invalid } from './answers.ts';
import { addAppRoutes } from './apps.ts';
import { addDeploymentRoutes } from './deployments.ts';
import { addEndpointRoute } from './endpoints.ts';
import { addExecRoutes } from './exec.ts';
import { addGroupRoutes } from './groups.ts';
import { addQueueRoutes } from './queue.ts';
import type { InfoJson, SetupJson } from './scheduler-schemas.ts';
import { addTaskFilesRoute } from './task-files.ts';
import { addTaskLogRoute } from './task-log.ts';
import { addTaskRoutes } from './tasks.ts';

export function addV2Routes(api: Api, options: ApiOptions): void {
  const { runner, events } = options;
  addAgentRoutes(api, options);
  addAppRoutes(api, options);
  addTaskRoutes(api, options);
  addEndpointRoute(api, options);
  addExecRoutes(api, options);
  addTaskLogRoute(api, options);
  addTaskFilesRoute(api, options);
  addDeploymentRoutes(api, options);
  addGroupRoutes(api, options);
  addQueueRoutes(api, options);
  addAgentListRoute(api, options);
  api.get('/ping', { config: { role: 'none' } }, async (_request, reply) => text(reply, 'pong'));
  api.get('/metrics', async (_request, reply) => {
    const vitals = { uptimeSeconds: process.uptime(), memoryBytes: process.memoryUsage.rss() };
    return json(reply, await runner.read((state) => metricsJson(state, vitals)));
  });
  api.get('/metrics/prometheus', async (_request, reply) => {
    const { metrics } = options;
    const body = Buffer.from(await await runner.read((state) => metrics.render(state, events.listeners)));
    const headers = { 'Content-Type': metrics.contentType, 'Content-Length': String(body.length) };
    return respond(reply, 200, headers, [body]);
  });
  // Always empty; Marathon's clients request it.
  api.get('/v2/pods', async (_request, reply) => json(reply, []));
  // Always empty, since callbacks are not supported.
  api.get('/v2/eventSubscriptions', async (_request, reply) => json(reply, { callbackUrls: [] }));
  for (const method of ['POST', 'DELETE'] as const) {
    api.route({
      method,
      url: '/v2/eventSubscriptions',
      handler: async (_request, reply) =>
        json(reply, { message: 'Events are not sent to callback URLs: read them from GET /v2/events' }, 400),
    });
  }
  api.get('/v2/info', async (request, reply) => {
    const { frameworkId, connected, master } = await runner.read((state) => ({
      frameworkId: state.frameworkId ?? null,
      connected: state.connected,
      master: state.master,
    }));
    const embeds = queriesOf(request, 'embed');
    const { marathon_config, ...setup } = options.info();
    const leader = options.leader();
    // Only on request, since python3-marathon rejects fields that Marathon doesn't have.
    const more = {
      ...(embeds.includes('connected') && { connected }),
      ...(embeds.includes('masters') && (await mastersJson(options))),
      ...(embeds.includes('schedulers') && { schedulers: await schedulersJson(options, setup.http_config) }),
    };
    const mesos_leader_ui_url = master === undefined ? null : `http://${master}/`;
    const info: InfoJson = {
      ...setup,
      marathon_config: { ...marathon_config, mesos_leader_ui_url },
      leader,
      elected: true,
      frameworkId,
      ...more,
    };
    return json(reply, info);
  });
  // Only the leader answers.
  api.get('/v2/leader', async (_request, reply) => json(reply, { leader: options.leader() }));
  api.delete('/v2/leader', async (request, reply) => {
    for (const name of ['backup', 'restore']) {
      const error = `is not supported here: use "mesosup scheduler ${name}"`;
      if (queriesOf(request, name).length > 0) return invalid(reply, [{ path: [name], error }]);
    }
    if (!options.abdicate) {
      const message = 'This scheduler runs alone: no other scheduler can take over';
      return json(reply, { message }, 409);
    }
    reply.raw.once('finish', options.abdicate);
    return json(reply, { message: 'Leadership abdicated' }, 200, { Connection: 'close' });
  });
  // A HEAD request would never end.
  api.get('/v2/events', { exposeHeadRoute: false }, (request, reply) => {
    reply.hijack();
    const { 'last-event-id': lastEventId } = request.headers;
    events.attach(request.raw, reply.raw, {
      types: new Set(queriesOf(request, 'event_type')),
      light: queryOf(request, 'plan-format') === 'light',
      isViewer: isViewer(request),
      ...(lastEventId !== undefined && { lastEventId: String(lastEventId) }),
    });
  });
}

async function mastersJson({ members }: ApiOptions): Promise<Pick<InfoJson, 'masters' | 'mastersProblem'>> {
  try {
    return { masters: await members.masters() };
  } catch (error) {
    return { masters: [], mastersProblem: messageOf(error) };
  }
}

/** If ZooKeeper can't be asked, only this scheduler is known. */
async function schedulersJson(
  { members, leader }: ApiOptions,
  { http_port, https_port }: SetupJson['http_config'],
): Promise<NonNullable<InfoJson['schedulers']>> {
  const own = leader();
  const found = await members.schedulers().catch(() => []);
  // One that has left and come back may be there twice for a moment.
  const addresses = new Set([own, ...found]);
  const ports = {
    http: http_port !== null,
    ...(https_port !== null && https_port > 0 && { https: https_port }),
  };
  return [...addresses].map((address) => ({ address, leads: address === own, urls: urlsOf(address, ports) }));
}
