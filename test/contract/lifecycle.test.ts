/** The life of tasks and frameworks: kills, exits, reconciliation, sandboxes, disconnects. */

import { describe, expect, it } from 'vitest';
import type { TaskInfo } from '../../src/mesos/types.ts';
import { type Behaviour, decodeJson, encodeJson, type KillReport, type Report } from './support/behaviour.ts';
import { gone, isAlive } from './support/embedded.ts';
import { SCHEDULER_PATH, TestFramework, unique } from './support/framework.ts';
import { agentAddress, get, getJson, master, post } from './support/mesos.ts';
import { fixtureUpdate, shape } from './support/shapes.ts';
import { executorInfo, executorTask } from './support/tasks.ts';

interface Running {
  id: string;
  agentId: string;
  report: Report;
}

/** Launches one task and waits until it runs. */
async function running(
  framework: TestFramework,
  behaviour: Behaviour = {},
  more: Partial<TaskInfo> = {},
  agentId?: string,
): Promise<Running> {
  const id = unique('task');
  const offer = await framework.launch(
    (offer) => executorTask(offer, behaviour, { task_id: { value: id }, ...more }),
    agentId,
  );
  const { data } = await framework.update(id, 'TASK_RUNNING');
  return { id, agentId: offer.agent_id.value, report: decodeJson<Report>(data) };
}

describe('KILL', () => {
  it.concurrent('reaches the executor with its kill policy', async () => {
    await using framework = await TestFramework.subscribe();
    const { id, agentId } = await running(framework);
    const kill_policy = { grace_period: { nanoseconds: 3_000_000_000 } };
    await framework.call({
      type: 'KILL',
      kill: { task_id: { value: id }, agent_id: { value: agentId }, kill_policy },
    });
    const status = await framework.update(id);
    expect(status.state).toBe('TASK_KILLED');
    expect(decodeJson<KillReport>(status.data)).toEqual({
      type: 'KILL',
      kill: { task_id: { value: id }, kill_policy },
    });
  });

  it.concurrent('may be ignored; the task keeps running, and a second framework cannot kill it', async () => {
    await using framework = await TestFramework.subscribe();
    await using other = await TestFramework.subscribe();
    const stubborn = await running(framework, { kill: 'ignore' });
    await framework.call({ type: 'KILL', kill: { task_id: { value: stubborn.id } } });
    await other.call({ type: 'KILL', kill: { task_id: { value: stubborn.id } } });
    expect(await other.update(stubborn.id)).toMatchObject({ state: 'TASK_UNKNOWN' });
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: stubborn.id } }] } });
    expect(await framework.update(stubborn.id)).toMatchObject({ reason: 'REASON_RECONCILIATION' });
    expect(framework.states(stubborn.id)).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
  });

  it.concurrent('of an unknown task is answered with TASK_UNKNOWN', async () => {
    await using framework = await TestFramework.subscribe();
    await framework.call({ type: 'KILL', kill: { task_id: { value: 'nope' } } });
    const status = await framework.update('nope');
    const real = fixtureUpdate('nope', 'TASK_UNKNOWN', 'REASON_RECONCILIATION');
    expect(shape(status)).toEqual(shape(real));
    expect(status).toMatchObject({ state: 'TASK_UNKNOWN', message: real.message });
  });
});

describe('RECONCILE', () => {
  it.concurrent('with tasks is answered for each: its latest state, TASK_GONE, TASK_UNKNOWN', async () => {
    await using framework = await TestFramework.subscribe();
    const { id, agentId } = await running(framework);
    const agent_id = { value: agentId };
    await framework.call({
      type: 'RECONCILE',
      reconcile: {
        tasks: [
          { task_id: { value: id }, agent_id },
          { task_id: { value: 'unknown-task' }, agent_id },
          { task_id: { value: 'unknown-noagent' } },
        ],
      },
    });
    for (const [task, recorded, state] of [
      [id, 't1', 'TASK_RUNNING'],
      ['unknown-task', 'unknown-task', 'TASK_GONE'],
      ['unknown-noagent', 'unknown-noagent', 'TASK_UNKNOWN'],
    ] as const) {
      const status = await framework.update(task);
      const real = fixtureUpdate(recorded, state, 'REASON_RECONCILIATION');
      expect(shape(status)).toEqual(shape(real));
      expect(status).toMatchObject({ state, message: real.message, source: 'SOURCE_MASTER' });
      expect(status.uuid).toBeUndefined();
    }
  });

  it.concurrent('without tasks is answered for every running task', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('implicit');
    const one = await running(framework, {}, { executor });
    const two = await running(framework, {}, { executor }, one.agentId);
    const dead = await running(framework, {}, { executor }, one.agentId);
    await framework.call({ type: 'KILL', kill: { task_id: { value: dead.id } } });
    await framework.update(dead.id, 'TASK_KILLED');
    // The acknowledgement of the end was sent before, on the same connection.
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: dead.id } }] } });
    await framework.update(dead.id);
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    for (const { id } of [one, two]) {
      expect(await framework.update(id)).toMatchObject({
        state: 'TASK_RUNNING',
        reason: 'REASON_RECONCILIATION',
      });
    }
  });

  it.concurrent('is answered with TASK_LOST for a framework without PARTITION_AWARE', async () => {
    await using framework = await TestFramework.subscribe({
      info: { capabilities: [{ type: 'MULTI_ROLE' }] },
    });
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 'unknown' } }] } });
    expect(await framework.update('unknown')).toMatchObject({ state: 'TASK_LOST' });
  });
});

describe('an executor', () => {
  it.concurrent.each([0, 7])(
    'that exits with %i fails its running tasks, and causes FAILURE',
    async (code) => {
      await using framework = await TestFramework.subscribe();
      const executor = executorInfo(unique('exits'));
      const first = await running(framework, {}, { executor });
      const second = await running(framework, { exit: code }, { executor }, first.agentId);
      for (const { id } of [first, second]) {
        expect(await framework.update(id)).toMatchObject({
          state: 'TASK_FAILED',
          source: 'SOURCE_AGENT',
          reason: 'REASON_EXECUTOR_TERMINATED',
        });
      }
      expect((await framework.event('FAILURE')).failure).toMatchObject({
        executor_id: executor.executor_id,
        agent_id: { value: first.agentId },
      });
    },
  );

  it.concurrent('that supervises may lose its child: the new child subscribes and no state changes', async ({
    expect,
  }) => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('supervised', { arguments: ['--supervise'] });
    const { id, agentId, report } = await running(framework, {}, { executor });
    process.kill(report.pid, 'SIGKILL');
    // A task launched before the new child has subscribed is dropped, so this waits for an answer of the child.
    const answers = async () => {
      await framework.call({
        type: 'MESSAGE',
        message: { agent_id: { value: agentId }, executor_id: executor.executor_id, data: encodeJson(1) },
      });
      return framework.log.some(({ event }) => event.type === 'MESSAGE');
    };
    await expect.poll(answers, { timeout: 20_000, interval: 100 }).toBe(true);
    const next = await running(framework, {}, { executor }, agentId);
    expect(next.report.pid).not.toBe(report.pid);
    expect(next.report.parent).toBe(report.parent);
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: id } }] } });
    await framework.update(id);
    expect(framework.states(id)).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
    await framework.call({ type: 'KILL', kill: { task_id: { value: id } } });
    await framework.update(id, 'TASK_KILLED');
  });

  it.concurrent.each([
    ['TASK_DROPPED', [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }]],
    ['TASK_LOST', [{ type: 'MULTI_ROLE' }]],
  ] as const)('whose new child does not report a launched task makes it %s', async (state, capabilities) => {
    await using framework = await TestFramework.subscribe({ info: { capabilities: [...capabilities] } });
    const executor = executorInfo('forgetful', { arguments: ['--supervise'] });
    const { id, agentId } = await running(framework, {}, { executor });
    const forgotten = unique('forgotten');
    await framework.launch(
      (offer) => executorTask(offer, { die: true }, { executor, task_id: { value: forgotten } }),
      agentId,
    );
    expect(await framework.update(forgotten)).toMatchObject({ state, source: 'SOURCE_AGENT' });
    expect(framework.states(id)).toEqual(['TASK_RUNNING']);
  });

  it.concurrent('that supervises and is killed fails its tasks', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('supervisor', { arguments: ['--supervise'] });
    const { id, report } = await running(framework, {}, { executor });
    process.kill(report.parent, 'SIGKILL');
    expect(await framework.update(id)).toMatchObject({
      state: 'TASK_FAILED',
      reason: 'REASON_EXECUTOR_TERMINATED',
    });
    await gone(report.pid);
  });

  it.concurrent('is shut down by SHUTDOWN', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('shut-down');
    const { agentId, report } = await running(framework, {}, { executor });
    await framework.call({
      type: 'SHUTDOWN',
      shutdown: { executor_id: executor.executor_id, agent_id: { value: agentId } },
    });
    expect((await framework.event('FAILURE')).failure.executor_id).toEqual(executor.executor_id);
    await gone(report.pid);
  });

  it.concurrent('that cannot be started fails its task', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('missing', { command: { shell: true, value: '/no/such/executor' } });
    const id = unique('task');
    await framework.launch((offer) => executorTask(offer, {}, { executor, task_id: { value: id } }));
    expect(await framework.update(id)).toMatchObject({
      state: 'TASK_FAILED',
      source: 'SOURCE_AGENT',
      reason: 'REASON_EXECUTOR_TERMINATED',
    });
  });
});

describe('a sandbox', () => {
  const path = (of: string) => encodeURIComponent(of);

  it.concurrent('is browsed and read from the agent, by its full path', async () => {
    await using framework = await TestFramework.subscribe();
    const { agentId, report } = await running(framework);
    const agent = await agentAddress(agentId);
    const entries = await getJson<Record<string, unknown>[]>(
      agent,
      `/files/browse?path=${path(report.directory)}`,
    );
    const stdout = entries.find((entry) => entry.path === `${report.directory}/stdout`);
    expect(stdout).toEqual({
      gid: expect.any(String),
      mode: expect.stringMatching(/^-rw-/),
      mtime: expect.any(Number),
      nlink: 1,
      path: `${report.directory}/stdout`,
      size: expect.any(Number),
      uid: expect.any(String),
    });
    expect(entries.map((entry) => entry.path)).toEqual(
      expect.arrayContaining(['stderr', 'tasks.json'].map((name) => `${report.directory}/${name}`)),
    );
    const file = path(`${report.directory}/stdout`);
    const whole = await getJson<{ data: string; offset: number }>(agent, `/files/read?path=${file}&offset=0`);
    expect(whole.offset).toBe(0);
    expect(whole.data).toContain('event SUBSCRIBED\nevent LAUNCH\n');
    const part = await getJson<typeof whole>(agent, `/files/read?path=${file}&offset=2&length=5`);
    expect(part).toEqual({ data: whole.data.slice(2, 7), offset: 2 });
    const end = await getJson<typeof whole>(agent, `/files/read?path=${file}`);
    expect(end.data).toBe('');
    expect(end.offset).toBeGreaterThanOrEqual(whole.data.length);
  });

  it.concurrent('does not show files outside, and requires a path', async () => {
    await using framework = await TestFramework.subscribe();
    const { agentId, report } = await running(framework);
    const agent = await agentAddress(agentId);
    expect((await get(agent, '/files/browse?path=/no/such/directory')).status).toBe(404);
    expect((await get(agent, '/files/read?path=/etc/passwd&offset=0')).status).not.toBe(200);
    const climbing = path(`${report.directory}/../../../../../../../../../../../../etc`);
    expect((await get(agent, `/files/browse?path=${climbing}`)).status).not.toBe(200);
    expect((await get(agent, '/files/browse')).status).toBe(400);
  });
});

describe('a framework', () => {
  it.concurrent('is torn down by TEARDOWN with its executors', async () => {
    const framework = await TestFramework.subscribe();
    const { report } = await running(framework);
    await framework[Symbol.asyncDispose]();
    await gone(report.pid);
    expect(isAlive(report.pid)).toBe(false);
  });

  it.concurrent('that disconnects with failover_timeout 0 is removed with its executors', async () => {
    await using framework = await TestFramework.subscribe({ info: { failover_timeout: 0 } });
    const { report } = await running(framework);
    framework.disconnect();
    await gone(report.pid);
    const answer = await post(master, SCHEDULER_PATH, {
      type: 'SUBSCRIBE',
      framework_id: framework.info.id,
      subscribe: { framework_info: framework.info },
    });
    expect(answer.text).toContain('Framework has been removed');
  });

  it.concurrent('that disconnects with a failover_timeout finds its tasks when it returns', async () => {
    await using left = await TestFramework.subscribe();
    const { id, agentId, report } = await running(left);
    left.disconnect();
    await using framework = await TestFramework.subscribe({ info: left.info });
    expect(framework.id).toBe(left.id);
    expect(framework.streamId).not.toBe(left.streamId);
    await framework.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    expect(await framework.update(id)).toMatchObject({ state: 'TASK_RUNNING', agent_id: { value: agentId } });
    expect(isAlive(report.pid)).toBe(true);
    await framework.call({ type: 'KILL', kill: { task_id: { value: id } } });
    await framework.update(id, 'TASK_KILLED');
  });

  it.concurrent('that disconnects loses its offers', async () => {
    await using left = await TestFramework.subscribe();
    const offer = await left.offer();
    left.disconnect();
    await using framework = await TestFramework.subscribe({ info: left.info });
    const task = executorTask(offer);
    await framework.accept(offer, [task]);
    expect(await framework.update(task.task_id.value)).toMatchObject({
      state: 'TASK_DROPPED',
      reason: 'REASON_INVALID_OFFERS',
    });
  });

  it.concurrent('that returns gets the updates it missed', async () => {
    await using left = await TestFramework.subscribe({ acknowledge: false });
    const { id } = await running(left);
    left.disconnect();
    await using framework = await TestFramework.subscribe({ info: left.info });
    const status = await framework.update(id);
    expect(status).toMatchObject({ state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR' });
    expect(status.uuid).toBeDefined();
  });
});
