/** One restart of the agent, with returning executors, one that stays silent, and frameworks with offers. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Offer, TaskStatus } from '../../src/mesos/types.ts';
import { type Behaviour, decodeJson, type Report } from './support/behaviour.ts';
import { gone, isAlive } from './support/embedded.ts';
import { TestFramework, unique } from './support/framework.ts';
import { canRestart, restart, skipUnlessRestartable } from './support/mesos.ts';
import { commandTask, executorInfo, executorTask } from './support/tasks.ts';

beforeEach((context) => skipUnlessRestartable('agent', context));

describe('a restart of the agent', () => {
  const frameworks: TestFramework[] = [];
  let framework: TestFramework;
  let loner: TestFramework;
  let held: Offer;
  let faithful: { id: string; report: Report; agentId: string };
  let silent: { id: string; report: Report };
  let command: string;
  let unacknowledged: TaskStatus;
  let lateAcknowledger: TestFramework;

  async function subscribe(...options: Parameters<typeof TestFramework.subscribe>): Promise<TestFramework> {
    const made = await TestFramework.subscribe(...options);
    frameworks.push(made);
    return made;
  }

  async function launch(
    of: TestFramework,
    behaviour: Behaviour,
    executor = executorInfo(unique('executor')),
  ) {
    const id = unique('task');
    const { agent_id } = await of.launch((offer) =>
      executorTask(offer, behaviour, { executor, task_id: { value: id } }),
    );
    const { data } = await of.update(id, 'TASK_RUNNING');
    return { id, report: decodeJson<Report>(data), agentId: agent_id.value };
  }

  beforeAll(async () => {
    if (!canRestart('agent')) return;
    framework = await subscribe();
    loner = await subscribe({ info: { checkpoint: false } });
    lateAcknowledger = await subscribe({ acknowledge: false });
    faithful = await launch(framework, {}, executorInfo('faithful'));
    silent = await launch(framework, { disconnect: 'stay silent' });
    command = unique('command');
    await framework.launch((offer) => commandTask(offer, 'exec sleep 600', { task_id: { value: command } }));
    await framework.update(command, 'TASK_RUNNING');
    const late = unique('late');
    await lateAcknowledger.launch((offer) => executorTask(offer, {}, { task_id: { value: late } }));
    unacknowledged = await lateAcknowledger.update(late, 'TASK_RUNNING');
    held = await (await subscribe()).offer();
    await restart('agent');
  }, 60_000);

  afterAll(async () => {
    await Promise.all(frameworks.map((made) => made[Symbol.asyncDispose]()));
  });

  it('rescinds the offers of the agent', async () => {
    const holder = frameworks.at(-1) as TestFramework;
    expect((await holder.event('RESCIND')).rescind.offer_id).toEqual(held.id);
  });

  it('kills an executor that stays silent; its tasks are TASK_GONE', async () => {
    expect(await framework.update(silent.id)).toMatchObject({
      state: 'TASK_GONE',
      source: 'SOURCE_AGENT',
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
    });
    await gone(silent.report.pid);
  });

  it('does not affect a checkpointed executor that subscribes again', async () => {
    const offer = await framework.offer({ agentId: faithful.agentId });
    expect(offer.executor_ids).toContainEqual({ value: 'faithful' });
    await framework.decline(offer);
    expect(framework.states(faithful.id)).toEqual(['TASK_RUNNING']);
    expect(isAlive(faithful.report.pid)).toBe(true);
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: faithful.id } }] } });
    expect(await framework.update(faithful.id)).toMatchObject({
      state: 'TASK_RUNNING',
      reason: 'REASON_RECONCILIATION',
    });
    await framework.call({ type: 'KILL', kill: { task_id: { value: faithful.id } } });
    await framework.update(faithful.id, 'TASK_KILLED');
  });

  it('does not affect a command task', async () => {
    await framework.decline(await framework.offer({ agentId: faithful.agentId }));
    expect(framework.states(command)).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
    await framework.call({ type: 'KILL', kill: { task_id: { value: command } } });
    await framework.update(command, 'TASK_KILLED');
  });

  it('repeats unacknowledged updates', async () => {
    const again = await lateAcknowledger.update(unacknowledged.task_id.value, 'TASK_RUNNING');
    expect(again.uuid).toBe(unacknowledged.uuid);
    await lateAcknowledger.acknowledge(again);
  });

  it('keeps the id of the agent', async () => {
    const offer = await loner.offer({ agentId: faithful.agentId });
    await loner.decline(offer);
  });
});

describe('without checkpointing', () => {
  it('a restart of the agent ends the executor and its tasks', async () => {
    await using framework = await TestFramework.subscribe({ info: { checkpoint: false } });
    const id = unique('task');
    await framework.launch((offer) => executorTask(offer, {}, { task_id: { value: id } }));
    const { data } = await framework.update(id, 'TASK_RUNNING');
    await restart('agent');
    await gone(decodeJson<Report>(data).pid);
    expect(['TASK_GONE', 'TASK_LOST', 'TASK_FAILED']).toContain((await framework.update(id)).state);
    await framework.decline(await framework.offer());
  });
});
