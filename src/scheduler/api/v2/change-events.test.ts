/** The events about requests and their deployments, compared with Marathon's event bus. */

import { describe, expect, it } from 'vitest';
import { call, get, type Server, SLEEPER, server, withApp } from '../../../../test/scheduler/api-server.ts';
import { appV2, start } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import type { StateEvent } from '../../domain/events.ts';
import { serverEvents } from '../../marathon-events.ts';
import type { ServerEvent } from './event-schemas.ts';

/** @returns the events that an action leads to */
async function eventsOf(one: Server, act: () => Promise<unknown>): Promise<ServerEvent[]> {
  const before = one.published.length;
  await act();
  return one.published.slice(before);
}

function types(events: readonly ServerEvent[]): string[] {
  return events.map(({ eventType }) => eventType);
}

describe('a request that changes nothing', () => {
  it.each([
    ['PUT of an app', 'PUT', '/v2/apps/sleeper', { cpus: 0.1 }],
    ['PATCH of a list', 'PATCH', '/v2/apps', [{ id: '/sleeper', mem: 16 }]],
    ['PUT of a group', 'PUT', '/v2/groups', {}],
    ['DELETE of an empty group', 'DELETE', '/v2/groups/empty', undefined],
    ['POST of an empty group', 'POST', '/v2/groups', { id: '/more' }],
  ] as const)('ends its deployment at once: %s', async (_what, method, url, body) => {
    const one = await withApp();
    await call(one, 'POST', '/v2/groups', { id: '/empty' });
    let id = '';
    const events = await eventsOf(one, async () => {
      const answer = await call(one, method, url, body);
      expect(answer.json().deploymentId).toBe(answer.headers['marathon-deployment-id']);
      id = answer.json().deploymentId;
    });
    expect(types(events)).toEqual(['group_change_success', 'deployment_success']);
    expect(events.at(-1)).toMatchObject({ id, plan: { id, steps: [], original: { id: '/' } } });
    expect((await get(one, '/v2/deployments')).json()).toEqual([]);
  });

  it('has no events with dryRun', async () => {
    const one = await withApp();
    expect(
      await eventsOf(one, () => call(one, 'PUT', '/v2/apps/sleeper?dryRun=true', { cpus: 0.1 })),
    ).toEqual([]);
  });

  it('ends the deployment of a group of which all apps stay as they are', async () => {
    const one = server();
    const group = { id: '/shop', apps: [{ ...SLEEPER, id: 'db' }] };
    await call(one, 'POST', '/v2/groups', group);
    await one.run();
    const events = await eventsOf(one, () => call(one, 'PUT', '/v2/groups/shop', group));
    expect(types(events)).toEqual(['group_change_success', 'deployment_success']);
  });
});

describe('a change', () => {
  it('of an app names the client, the path and the group', async () => {
    const one = server();
    const events = await eventsOf(one, () =>
      call(one, 'PUT', '/v2/apps/shop/web?force=true', { ...SLEEPER, id: '/shop/web' }),
    );
    expect(events).toMatchObject([
      {
        eventType: 'api_post_event',
        clientIp: '127.0.0.1',
        uri: '/v2/apps/shop/web',
        appDefinition: { id: '/shop/web', cmd: SLEEPER.cmd },
      },
      { eventType: 'group_change_success', groupId: '/shop' },
      { eventType: 'deployment_info' },
    ]);
  });

  it('of an app shows its definition as GET does', async () => {
    const one = server();
    const events = await eventsOf(one, () => call(one, 'POST', '/v2/apps', { ...SLEEPER, instances: 2 }));
    const shown = (await get(one, '/v2/apps/sleeper/versions')).json().versions[0];
    const definition = (await get(one, `/v2/apps/sleeper/versions/${shown}`)).json();
    expect(events[0]).toMatchObject({ eventType: 'api_post_event' });
    expect((events[0] as { appDefinition?: unknown }).appDefinition).toEqual(definition);
  });

  it('of a group succeeds once, with its version', async () => {
    const one = server();
    let version = '';
    const events = await eventsOf(one, async () => {
      const group = { id: '/shop', apps: [{ ...SLEEPER, id: 'db' }], groups: [{ id: 'front' }] };
      version = (await call(one, 'POST', '/v2/groups', group)).json().version;
    });
    expect(events.filter(({ eventType }) => eventType === 'group_change_success')).toMatchObject([
      { groupId: '/shop', version },
    ]);
  });

  it('that is refused fails with the reason', async () => {
    const one = await withApp();
    await call(one, 'PUT', '/v2/apps/sleeper', { cpus: 0.2 });
    const [{ id }] = (await get(one, '/v2/deployments')).json();
    const refusals = [
      [() => call(one, 'PUT', '/v2/apps/sleeper', { cpus: 0.3 }), '/', id],
      [() => call(one, 'PUT', '/v2/apps/a/b', { cpus: -1 }), '/a', '/cpus must be at least 0.001'],
      [() => call(one, 'DELETE', '/v2/groups/none'), '/none', "Group '/none' does not exist"],
    ] as const;
    for (const [act, groupId, reason] of refusals) {
      expect(await eventsOf(one, act)).toMatchObject([
        { eventType: 'group_change_failed', groupId, reason: expect.stringContaining(reason) },
      ]);
    }
  });

  it('removes the health checks of the previous version with its last task, and of a removed app', async () => {
    const healthChecks = [{ protocol: 'MESOS_TCP' }];
    const one = await withApp({ healthChecks });
    const healthy = async () => {
      await one.run();
      for (const [taskId, { state }] of one.mesos.tasks) {
        if (state !== 'TASK_RUNNING') continue;
        one.mesos.advance(taskId, 'TASK_RUNNING', { healthy: true });
      }
      await one.run();
    };
    await healthy();
    const [added] = one.published.filter(({ eventType }) => eventType === 'add_health_check_event');
    const changed = await eventsOf(one, async () => {
      await call(one, 'PUT', '/v2/apps/sleeper', { cpus: 0.2 });
      await healthy();
    });
    const removed = changed.filter(({ eventType }) => eventType === 'remove_health_check_event');
    expect(removed).toMatchObject([{ appId: '/sleeper', version: (added as { version: string }).version }]);
    expect(types(changed).indexOf('remove_health_check_event')).toBeLessThan(
      types(changed).indexOf('deployment_success'),
    );
    const gone = await eventsOf(one, () => call(one, 'DELETE', '/v2/apps/sleeper'));
    expect(types(gone)).toContain('remove_health_check_event');
    expect(types(gone)).toContain('app_terminated_event');
  });
});

describe('a connection', () => {
  it('names the master, and whether the framework is new', async () => {
    const one = server();
    await one.run();
    await one.runner.submit({ type: 'disconnected', reason: 'test' });
    await one.run();
    expect(one.published).toMatchObject([
      { eventType: 'scheduler_registered_event', frameworkId: 'framework', master: 'master.example' },
      { eventType: 'scheduler_disconnected_event' },
      { eventType: 'scheduler_reregistered_event', master: 'master.example' },
    ]);
    const info = (await get(one, '/v2/info')).json();
    expect(info.marathon_config.mesos_leader_ui_url).toBe('http://master.example:5050/');
  });
});

describe('an executor of an app', () => {
  it('is heard when it sends a message, unlike those of mesosup', async () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ id: '/own', executor: '/opt/executor', cmd: 'x', cpus: 0.1 })));
    harness.input(start(appV2({ id: '/image', container: { docker: { image: 'i' } }, cpus: 0.1 })));
    harness.rest();
    const [own = ''] = harness.state.apps.get('/own')?.tasks.keys() ?? [];
    const [other] = harness.state.apps.get('/image')?.tasks.values() ?? [];
    const heard = (executorId: string) => {
      const message = { agent_id: { value: 'S0' }, executor_id: { value: executorId }, data: 'aGVsbG8=' };
      harness.input({ type: 'mesos', event: { type: 'MESSAGE', message } });
      return harness.lastDecision.events.flatMap((event: StateEvent) =>
        serverEvents(harness.state, event, 0),
      );
    };
    expect(heard(own)).toMatchObject([
      { eventType: 'framework_message_event', slaveId: 'S0', executorId: own, message: 'aGVsbG8=' },
    ]);
    expect(heard(other?.executorId ?? '')).toEqual([]);
  });
});

describe('/v2/info', () => {
  it('has what clients of Marathon read', async () => {
    const info = (await get(server(), '/v2/info')).json();
    expect(info).toMatchObject({
      buildref: expect.any(String),
      marathon_config: {
        features: ['vips', 'task_killing'],
        mesos_leader_ui_url: null,
        max_instances_per_offer: expect.any(Number),
        mesos_bridge_name: 'mesos-bridge',
        new_group_enforce_role: 'off',
      },
    });
  });
});

describe('the role of an app', () => {
  it("is shown; without one it is the scheduler's, and sending that back changes nothing", async () => {
    const one = await withApp();
    const shown = (await get(one, '/v2/apps/sleeper')).json().app;
    expect(shown.role).toBe('*');
    expect((await get(one, '/v2/apps')).json().apps[0].role).toBe('*');
    expect((await get(one, '/v2/groups')).json().apps[0].role).toBe('*');
    const again = await call(one, 'PUT', '/v2/apps/sleeper?dryRun=true', { role: '*' });
    expect(again.json()).toEqual({ steps: [] });
  });
});

describe('a readiness check', () => {
  it('must name a port of the app', async () => {
    const one = server();
    const send = (fields: object) => call(one, 'POST', '/v2/apps', { ...SLEEPER, ...fields });
    const portDefinitions = [{ name: 'admin' }, {}];
    for (const [fields, names] of [
      [{ readinessChecks: [{}] }, 'use one of default'],
      [{ readinessChecks: [{ portName: 'web' }], portDefinitions }, 'admin'],
    ] as const) {
      const answer = await send(fields);
      expect(answer.statusCode).toBe(422);
      expect(answer.json().details).toMatchObject([
        { path: '/readinessChecks(0)/portName', errors: [expect.stringContaining(names)] },
      ]);
    }
    expect((await send({ readinessChecks: [{ portName: 'admin' }], portDefinitions })).statusCode).toBe(201);
  });
});
