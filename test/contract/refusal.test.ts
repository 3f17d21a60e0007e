/** Refused launches: source, state, reason and text. */

import { describe, expect, inject, it } from 'vitest';
import type { ContainerInfo, Resource } from '../../src/mesos/types.ts';
import { TestFramework, unique } from './support/framework.ts';
import { fixtureUpdate, shape } from './support/shapes.ts';
import { commandTask, executorInfo, executorTask, scalar } from './support/tasks.ts';

describe('a launch is refused', () => {
  it('with TASK_ERROR and the complete sum if it exceeds the offer', async () => {
    await using framework = await TestFramework.subscribe();
    const offer = await framework.offer();
    const ports: Resource = {
      name: 'ports',
      type: 'RANGES',
      ranges: { range: [{ begin: 31_003, end: 31_003 }] },
      allocation_info: { role: '*' },
    };
    const task = executorTask(offer, {}, { resources: [scalar('cpus', 900), scalar('mem', 64), ports] });
    await framework.accept(offer, [task]);
    const status = await framework.update(task.task_id.value);
    const real = fixtureUpdate('t4', 'TASK_ERROR', 'REASON_TASK_INVALID');
    expect(shape(status)).toEqual(shape(real));
    expect(status).toMatchObject({
      state: 'TASK_ERROR',
      source: 'SOURCE_MASTER',
      reason: 'REASON_TASK_INVALID',
    });
    const of = (name: string) => offer.resources.find((r) => r.name === name);
    const range = (of('ports')?.ranges?.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(', ');
    expect(status.message?.split(' is more than available ')[0]).toBe(
      'Total resources cpus(allocated: *):900.1; mem(allocated: *):96; ports(allocated: *):[31003-31003] required by task and its executor',
    );
    expect(status.message?.split(' is more than available ')[1]?.split('; ').sort()).toEqual(
      [
        `ports(allocated: *):[${range}]`,
        ...['cpus', 'mem', 'disk'].map((name) => `${name}(allocated: *):${of(name)?.scalar?.value}`),
      ].sort(),
    );
  });

  it('with TASK_DROPPED and REASON_INVALID_OFFERS if the offer is stale', async () => {
    await using framework = await TestFramework.subscribe();
    const offer = await framework.offer();
    await framework.decline(offer);
    const task = executorTask(offer);
    await framework.accept(offer, [task]);
    const status = await framework.update(task.task_id.value);
    const real = fixtureUpdate('t3', 'TASK_DROPPED', 'REASON_INVALID_OFFERS');
    expect(shape(status)).toEqual(shape(real));
    expect(status).toMatchObject({
      state: 'TASK_DROPPED',
      source: 'SOURCE_MASTER',
      reason: 'REASON_INVALID_OFFERS',
      message: `Task launched with invalid offers: Offer ${offer.id.value} is no longer valid`,
    });
  });

  it.concurrent('with TASK_DROPPED if the agent does not know the user', async () => {
    await using framework = await TestFramework.subscribe({ info: { user: 'nobody-of-that-name' } });
    let id = '';
    await framework.launch((offer) => {
      const task = executorTask(offer);
      id = task.task_id.value;
      return task;
    });
    const status = await framework.update(id);
    expect(status).toMatchObject({ state: 'TASK_DROPPED', message: expect.stringContaining('No such user') });
  });

  it.skipIf(inject('embedded') === null).concurrent.each<[string, ContainerInfo]>([
    ['Docker containerizer', { type: 'DOCKER', docker: { image: 'i' } }],
    ['support for images', { type: 'MESOS', mesos: { image: { type: 'DOCKER', docker: { name: 'i' } } } }],
    ['container networks', { type: 'MESOS', network_infos: [{ name: 'blue' }] }],
    ['support for volumes', { type: 'MESOS', volumes: [{ mode: 'RO', container_path: 'c' }] }],
  ])('with TASK_FAILED by the embedded agent, which has no %s', async (lacking, container) => {
    await using framework = await TestFramework.subscribe();
    let id = '';
    await framework.launch((offer) => {
      const task = commandTask(offer, 'true', { container });
      id = task.task_id.value;
      return task;
    });
    expect(await framework.update(id)).toMatchObject({
      state: 'TASK_FAILED',
      reason: 'REASON_CONTAINER_LAUNCH_FAILED',
      message: `Failed to launch container: The embedded agent has no ${lacking}. Use a Mesos agent`,
    });
  });

  it.concurrent('with TASK_ERROR if the task id is in use', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('duplicate');
    const task_id = { value: unique('duplicate') };
    const offer = await framework.launch((offer) => executorTask(offer, {}, { executor, task_id }));
    await framework.update(task_id.value, 'TASK_RUNNING');
    await framework.launch((other) => executorTask(other, {}, { executor, task_id }), offer.agent_id.value);
    const status = await framework.update(task_id.value);
    expect(status).toMatchObject({
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: expect.stringContaining('Task has duplicate ID'),
    });
  });

  it.concurrent.each([
    ['name', executorInfo('e', { name: 'another' })],
    ['command', executorInfo('e', { arguments: ['--another'] })],
    ['resources', executorInfo('e', { resources: [scalar('cpus', 0.2), scalar('mem', 32)] })],
  ])('with TASK_ERROR where ExecutorInfo differs from the running one in its %s', async (_, different) => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('e');
    const ids = [unique('first'), unique('second'), unique('third')] as const;
    const launch = (id: string, info: typeof executor, agentId?: string) =>
      framework.launch(
        (offer) => executorTask(offer, {}, { executor: info, task_id: { value: id } }),
        agentId,
      );
    const { agent_id } = await launch(ids[0], executor);
    await framework.update(ids[0], 'TASK_RUNNING');
    await launch(ids[1], different, agent_id.value);
    expect(await framework.update(ids[1])).toMatchObject({
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: expect.stringContaining('ExecutorInfo is not compatible'),
    });
    await launch(ids[2], executor, agent_id.value);
    await framework.update(ids[2], 'TASK_RUNNING');
  });

  it.concurrent('with TASK_ERROR if ExecutorInfo differs only in the role of its resources', async () => {
    const [a, b] = [unique('role'), unique('role')];
    await using framework = await TestFramework.subscribe({ info: { roles: [a, b] } });
    const forRole = (role: string) => [scalar('cpus', 0.1, role), scalar('mem', 32, role)];
    const launch = async (role: string, wanted: { agentId?: string }) => {
      const offer = await framework.offer({ role, ...wanted });
      const executor = executorInfo('of-roles', { resources: forRole(role) });
      const task = executorTask(offer, {}, { executor, resources: forRole(role) });
      await framework.accept(offer, [task]);
      return { id: task.task_id.value, agentId: offer.agent_id.value };
    };
    const first = await launch(a, {});
    await framework.update(first.id, 'TASK_RUNNING');
    const second = await launch(b, { agentId: first.agentId });
    expect(await framework.update(second.id)).toMatchObject({
      state: 'TASK_ERROR',
      message: expect.stringContaining('ExecutorInfo is not compatible'),
    });
  });

  it.concurrent('with TASK_DROPPED and REASON_EXECUTOR_TERMINATED while its executor terminates', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('terminating');
    const launch = async (agentId?: string) => {
      const id = unique('task');
      const offer = await framework.launch(
        (offer) => executorTask(offer, { shutdown: 'ignore' }, { executor, task_id: { value: id } }),
        agentId,
      );
      return { id, agent_id: offer.agent_id };
    };
    const { id, agent_id } = await launch();
    await framework.update(id, 'TASK_RUNNING');
    const offer = await framework.offer({ agentId: agent_id.value });
    await framework.call({ type: 'SHUTDOWN', shutdown: { executor_id: executor.executor_id, agent_id } });
    const late = executorTask(offer, {}, { executor });
    await framework.accept(offer, [late]);
    expect(await framework.update(late.task_id.value)).toMatchObject({
      state: 'TASK_DROPPED',
      reason: 'REASON_EXECUTOR_TERMINATED',
    });
    // The executor ignores SHUTDOWN, so it is killed after its grace period, and its task fails.
    expect(await framework.update(id)).toMatchObject({ reason: 'REASON_EXECUTOR_TERMINATED' });
  });

  it.concurrent('with TASK_ERROR if it has both a command and an executor', async () => {
    await using framework = await TestFramework.subscribe();
    let id = '';
    await framework.launch((offer) => {
      const task = executorTask(offer, {}, { command: { value: 'true' } });
      id = task.task_id.value;
      return task;
    });
    expect(await framework.update(id)).toMatchObject({ state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID' });
  });
});
