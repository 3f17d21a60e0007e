/** The results of health and readiness checks in answers and events. */

import { describe, expect, it } from 'vitest';
import { appOf, call, get, type Server, withApp } from '../../../../test/scheduler/api-server.ts';
import type { TaskStatus } from '../../../mesos/types.ts';
import { noticeFor } from '../../notices.ts';

const NOW = '2023-11-14T22:13:20.000Z';
const TCP = { protocol: 'TCP', maxConsecutiveFailures: 3 };
const COMMAND = { protocol: 'COMMAND', command: { value: 'true' } };

async function taskId(one: Server): Promise<string> {
  return (await appOf(one)).tasks[0].id;
}

async function results(one: Server) {
  return (await appOf(one)).tasks[0].healthCheckResults;
}

function published(one: Server, type: string) {
  return one.published.filter(({ eventType }) => eventType === type);
}

/** The result of a check of the scheduler. */
async function probed(one: Server, probe: number, why?: string, more: object = {}) {
  const id = await taskId(one);
  await one.runner.submit({
    type: 'probed',
    taskId: id,
    probe,
    healthy: why === undefined,
    ...(why !== undefined && { why }),
    ...more,
  });
}

/** An update of the executor with the result of its check. */
async function checked(one: Server, uuid: string, healthy: boolean, more: Partial<TaskStatus> = {}) {
  const status: TaskStatus = {
    task_id: { value: await taskId(one) },
    agent_id: { value: 'S0' },
    state: 'TASK_RUNNING',
    source: 'SOURCE_EXECUTOR',
    reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
    uuid,
    healthy,
    ...more,
  };
  await one.runner.submit({ type: 'mesos', event: { type: 'UPDATE', update: { status } } });
}

describe('a health check of the scheduler', () => {
  it('has the number of failures, the times and the cause', async () => {
    const one = await withApp({ healthChecks: [TCP] });
    const id = await taskId(one);
    const ids = { taskId: id, instanceId: id.replace('._app.1', '') };
    expect(await results(one)).toBeUndefined();
    await probed(one, 0, 'connection refused');
    await probed(one, 0, 'timed out');
    const failed = {
      ...ids,
      alive: false,
      consecutiveFailures: 2,
      lastFailure: NOW,
      lastFailureCause: 'timed out',
    };
    expect(await results(one)).toEqual([failed]);
    expect((await get(one, '/v2/tasks')).json().tasks[0].healthCheckResults).toEqual([failed]);
    expect(await appOf(one)).toMatchObject({ tasksHealthy: 0, tasksUnhealthy: 1 });
    await probed(one, 0);
    const passed = { ...failed, alive: true, consecutiveFailures: 0, firstSuccess: NOW, lastSuccess: NOW };
    expect(await results(one)).toEqual([passed]);
    expect(await appOf(one)).toMatchObject({ tasksHealthy: 1, tasksUnhealthy: 0 });
  });

  it('announces each failure, and each change of the health once', async () => {
    const one = await withApp({ healthChecks: [TCP, { protocol: 'HTTP', path: '/x' }] });
    const id = await taskId(one);
    await probed(one, 0, 'refused');
    await probed(one, 0, 'refused');
    await probed(one, 1, 'refused');
    expect(published(one, 'failed_health_check_event')).toMatchObject([
      { appId: '/sleeper', taskId: id, healthCheck: { protocol: 'TCP' } },
      { healthCheck: { protocol: 'TCP' } },
      { healthCheck: { protocol: 'HTTP', path: '/x' } },
    ]);
    await probed(one, 0);
    await probed(one, 0);
    await probed(one, 1);
    expect(published(one, 'health_status_changed_event')).toMatchObject([
      { alive: false, taskId: id },
      { alive: false },
      { alive: true },
      { alive: true },
    ]);
    // The task is healthy only when both checks pass.
    expect(published(one, 'instance_health_changed_event')).toMatchObject([
      { healthy: false },
      { healthy: false },
      { healthy: false },
      { healthy: true },
    ]);
  });

  it('is logged only when its result changes', async () => {
    const one = await withApp({ healthChecks: [TCP] });
    const id = await taskId(one);
    const event = {
      type: 'task_probed',
      taskId: id,
      probe: 0,
      healthy: false,
      why: 'refused',
      at: 0,
    } as const;
    const text = () => one.runner.read((state) => noticeFor(state, event)?.text);
    expect(await text()).toBe('check failed: refused');
    await probed(one, 0, 'refused');
    expect(await text()).toBeUndefined();
  });
});

describe('a health check of the executor', () => {
  it('has the same results and events', async () => {
    const one = await withApp({ healthChecks: [COMMAND] });
    const id = await taskId(one);
    await checked(one, 'a', false, { message: 'exit code 1' });
    // Mesos repeats an update until it is acknowledged.
    await checked(one, 'a', false, { message: 'exit code 1' });
    await checked(one, 'b', false, { message: 'exit code 2' });
    expect(await results(one)).toMatchObject([
      { alive: false, consecutiveFailures: 2, lastFailure: NOW, lastFailureCause: 'exit code 2' },
    ]);
    expect(published(one, 'failed_health_check_event')).toMatchObject([
      { appId: '/sleeper', taskId: id, healthCheck: COMMAND },
      { healthCheck: COMMAND },
    ]);
    await checked(one, 'c', true);
    expect(await results(one)).toMatchObject([{ alive: true, consecutiveFailures: 0, firstSuccess: NOW }]);
    expect(published(one, 'health_status_changed_event')).toMatchObject([{ alive: false }, { alive: true }]);
  });

  it('stores only results that change the health', async () => {
    const one = await withApp({ healthChecks: [COMMAND] });
    await checked(one, 'a', false, { message: 'exit code 1' });
    const stored = one.disk.length;
    await checked(one, 'b', false, { message: 'exit code 2' });
    expect(one.disk).toHaveLength(stored);
  });

  it('is listed beside those of the scheduler', async () => {
    const one = await withApp({ healthChecks: [COMMAND, TCP] });
    await checked(one, 'a', true);
    await probed(one, 0, 'refused');
    expect(await results(one)).toMatchObject([{ alive: true }, { alive: false }]);
  });
});

describe('a readiness check', () => {
  const READY = {
    portDefinitions: [{ name: 'web' }],
    healthChecks: [TCP],
    readinessChecks: [{ name: 'warm', portName: 'web', preserveLastResponse: true }],
  };
  const response = { status: 503, contentType: 'text/plain', body: 'not yet' };

  it('is shown in its deployment and app until the deployment ends', async () => {
    const one = await withApp(READY);
    const id = await taskId(one);
    const shown = async () => {
      const [deployment] = (await get(one, '/v2/deployments')).json();
      const { app } = (await get(one, '/v2/apps/sleeper?embed=app.readiness')).json();
      expect(app.readinessCheckResults).toEqual(deployment?.currentActions[0].readinessCheckResults ?? []);
      return app.readinessCheckResults;
    };
    expect(await shown()).toEqual([]);
    await probed(one, 0);
    await probed(one, 1, 'HTTP 503', { response });
    expect(await shown()).toEqual([{ name: 'warm', taskId: id, ready: false, lastResponse: response }]);
    // It is neither a health check, nor has it their events.
    expect(await results(one)).toMatchObject([{ alive: true }]);
    expect(await appOf(one)).toMatchObject({ tasksHealthy: 1, tasksUnhealthy: 0 });
    expect(published(one, 'failed_health_check_event')).toEqual([]);
    await probed(one, 1);
    expect((await get(one, '/v2/deployments')).json()).toEqual([]);
    expect(await shown()).toEqual([]);
  });

  it('shows no response unless the app keeps it', async () => {
    const one = await withApp({ ...READY, readinessChecks: [{ portName: 'web' }] });
    await probed(one, 1, 'HTTP 503', { response });
    const [{ currentActions }] = (await get(one, '/v2/deployments')).json();
    expect(currentActions[0].readinessCheckResults).toEqual([
      { name: 'readinessCheck', taskId: await taskId(one), ready: false },
    ]);
  });
});

it('keeps the results across a change of the number of instances', async () => {
  const one = await withApp({ healthChecks: [TCP] });
  await probed(one, 0);
  await call(one, 'PUT', '/v2/apps/sleeper', { instances: 2 });
  const { tasks } = await appOf(one);
  expect(tasks[0].healthCheckResults).toMatchObject([{ alive: true, lastSuccess: NOW }]);
});
