/** The form of tasks, their updates and the environment of their executors. */

import { describe, expect, it } from 'vitest';
import type { Offer } from '../../src/mesos/types.ts';
import { isUuidBase64 } from '../../src/mesos/uuid.ts';
import { decodeJson, encodeJson, type Report } from './support/behaviour.ts';
import { TestFramework, unique } from './support/framework.ts';
import { fixtureJson, fixtureUpdate, shape } from './support/shapes.ts';
import { commandTask, executorInfo, executorTask } from './support/tasks.ts';

const STARTING_THEN_RUNNING = { updates: [{ state: 'TASK_STARTING' }, { state: 'TASK_RUNNING' }] } as const;

describe('the updates of an executor', () => {
  it.concurrent('have the shape of the transcript, with container_status added', async () => {
    await using framework = await TestFramework.subscribe();
    const offer = await framework.offer();
    const task = executorTask(offer, { updates: [...STARTING_THEN_RUNNING.updates] });
    await framework.accept(offer, [task]);
    for (const state of ['TASK_STARTING', 'TASK_RUNNING'] as const) {
      const status = await framework.update(task.task_id.value);
      expect(shape(status)).toEqual(shape(fixtureUpdate('t1', state)));
      expect(status).toMatchObject({
        state,
        source: 'SOURCE_EXECUTOR',
        agent_id: offer.agent_id,
        container_status: {
          container_id: { value: expect.stringMatching(/^[0-9a-f-]{36}$/) },
          network_infos: [
            { ip_addresses: [{ protocol: 'IPv4', ip_address: expect.stringMatching(/^[\d.]+$/) }] },
          ],
        },
      });
      expect(isUuidBase64(status.uuid ?? '')).toBe(true);
    }
  });

  it.concurrent('of one task come one at a time, repeated after 10 s until acknowledged', async () => {
    await using framework = await TestFramework.subscribe({ acknowledge: false });
    let id = '';
    await framework.launch((offer) => {
      const task = executorTask(offer, { updates: [...STARTING_THEN_RUNNING.updates] });
      id = task.task_id.value;
      return task;
    });
    const first = await framework.update(id);
    // On a busy machine, the first one is read late.
    const cameAt = framework.log.at(-1)?.at ?? 0;
    const again = await framework.update(id);
    expect((framework.log.at(-1)?.at ?? 0) - cameAt).toBeGreaterThanOrEqual(8000);
    expect(again).toMatchObject({ state: 'TASK_STARTING', uuid: first.uuid });
    await framework.acknowledge(first);
    expect(await framework.update(id)).toMatchObject({ state: 'TASK_RUNNING' });
    expect(framework.states(id)).toEqual(['TASK_STARTING', 'TASK_STARTING', 'TASK_RUNNING']);
  });

  it.concurrent('of several tasks do not wait for each other', async () => {
    await using framework = await TestFramework.subscribe({ acknowledge: false });
    const executor = executorInfo('several');
    const ids: string[] = [];
    await framework.launch((offer) =>
      [1, 2, 3].map(() => {
        const task = executorTask(offer, {}, { executor });
        ids.push(task.task_id.value);
        return task;
      }),
    );
    for (const id of ids) await framework.update(id, 'TASK_RUNNING');
  });

  it.concurrent('require a valid uuid: an invalid one is refused with 400, and the update is lost', async () => {
    await using framework = await TestFramework.subscribe();
    const uuid = Buffer.alloc(16).toString('base64');
    let id = '';
    await framework.launch((offer) => {
      const task = executorTask(offer, { uuid });
      id = task.task_id.value;
      return task;
    });
    const report = decodeJson<Report>((await framework.update(id)).data);
    expect(report.refusal).toEqual({ status: 400, message: expect.stringContaining('Not a valid UUID') });
    expect(framework.states(id)).toEqual(['TASK_RUNNING']);
  });

  it.concurrent.each([1, 2, 3, 4, 5])('accept a uuid of version %i', async (version) => {
    await using framework = await TestFramework.subscribe();
    const bytes = Buffer.alloc(16, 0x80);
    bytes.writeUInt8(version << 4, 6);
    const uuid = bytes.toString('base64');
    let id = '';
    await framework.launch((offer) => {
      const task = executorTask(offer, { uuid });
      id = task.task_id.value;
      return task;
    });
    expect((await framework.update(id, 'TASK_STARTING')).uuid).toBe(uuid);
    expect(decodeJson<Report>((await framework.update(id, 'TASK_RUNNING')).data).refusal).toBeUndefined();
  });
});

describe('the environment of an executor', () => {
  async function reportFor(
    checkpoint: boolean,
  ): Promise<{ report: Report; framework: TestFramework; offer: Offer }> {
    const framework = await TestFramework.subscribe({ info: { checkpoint } });
    const executor = executorInfo('environment');
    const variables = [{ name: 'FOO', value: 'bar' }];
    let id = '';
    const offer = await framework.launch((offer) => {
      const task = executorTask(
        offer,
        {},
        {
          executor: { ...executor, command: { ...executor.command, environment: { variables } } },
        },
      );
      id = task.task_id.value;
      return task;
    });
    const { data } = await framework.update(id, 'TASK_RUNNING');
    return { report: decodeJson<Report>(data), framework, offer };
  }

  it.concurrent("has Mesos' variables, PWD, a default PATH and the command's variables; nothing inherited, no HOME", async () => {
    const { report, framework: framework_, offer } = await reportFor(true);
    await using framework = framework_;
    const { environment } = report;
    expect(environment.HOME).toBeUndefined();
    // Variables that a shell adds are not inherited.
    const others = Object.keys(environment).filter(
      (name) => !/^(MESOS|LIBPROCESS)_|^(OLDPWD|SHLVL|_)$/.test(name),
    );
    expect(others.sort()).toEqual(['FOO', 'PATH', 'PWD']);
    expect(environment).toMatchObject({ FOO: 'bar', PWD: report.directory });
    expect(environment.PATH?.split(':')).toEqual(expect.arrayContaining(['/usr/bin', '/bin']));
    const [real] = [fixtureJson<Record<string, string>>('executor-env.jsonl')];
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(Object.keys(real)));
    expect(environment).toMatchObject({
      MESOS_AGENT_ENDPOINT: expect.stringMatching(/^[\d.]+:\d+$/),
      MESOS_SLAVE_ID: offer.agent_id.value,
      MESOS_SLAVE_PID: expect.stringMatching(/^slave\(1\)@[\d.]+:\d+$/),
      MESOS_FRAMEWORK_ID: framework.id,
      MESOS_EXECUTOR_ID: 'environment',
      MESOS_DIRECTORY: report.directory,
      MESOS_SANDBOX: report.directory,
      MESOS_CHECKPOINT: '1',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '3secs',
      MESOS_HTTP_COMMAND_EXECUTOR: '0',
      MESOS_RECOVERY_TIMEOUT: expect.stringMatching(/^[\d.]+(secs|mins|hrs)$/),
      MESOS_SUBSCRIPTION_BACKOFF_MAX: expect.stringMatching(/^[\d.]+(ms|secs)$/),
      LIBPROCESS_PORT: '0',
    });
    expect(report.directory).toMatch(
      new RegExp(
        `/slaves/${offer.agent_id.value}/frameworks/${framework.id}/executors/environment/runs/[0-9a-f-]{36}$`,
      ),
    );
  });

  it.concurrent('has no recovery settings if the framework does not checkpoint', async () => {
    const { report, framework: framework_ } = await reportFor(false);
    await using _ = framework_;
    expect(report.environment.MESOS_CHECKPOINT).toBe('0');
    expect(report.environment.MESOS_RECOVERY_TIMEOUT).toBeUndefined();
    expect(report.environment.MESOS_SUBSCRIPTION_BACKOFF_MAX).toBeUndefined();
  });
});

describe('a command task', () => {
  it.concurrent('that exits with 3 is TASK_FAILED with the code in the message, in the shape of the transcript', async () => {
    await using framework = await TestFramework.subscribe();
    let id = '';
    await framework.launch((offer) => {
      const task = commandTask(offer, 'echo hi; sleep 0.3; exit 3');
      id = task.task_id.value;
      return task;
    });
    for (const state of ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED'] as const) {
      const status = await framework.update(id);
      expect(status.state).toBe(state);
      expect(shape(status)).toEqual(shape(fixtureUpdate('c1', state)));
      expect(status.executor_id).toEqual({ value: id });
      if (state === 'TASK_FAILED') expect(status.message).toBe('Command exited with status 3');
    }
  });

  it.concurrent('that exits with 0 is TASK_FINISHED', async () => {
    await using framework = await TestFramework.subscribe();
    let id = '';
    await framework.launch((offer) => {
      const task = commandTask(offer, 'exit 0');
      id = task.task_id.value;
      return task;
    });
    expect((await framework.update(id, 'TASK_FINISHED')).message).toBe('Command exited with status 0');
  });

  /** Starts a command, kills it when it runs, and returns its end. */
  async function killed(framework: TestFramework, command: string) {
    const id = unique('task');
    await framework.launch((offer) => commandTask(offer, command, { task_id: { value: id } }));
    await framework.update(id, 'TASK_RUNNING');
    await framework.call({ type: 'KILL', kill: { task_id: { value: id } } });
    const status = await framework.update(id, 'TASK_KILLED');
    return { status, states: framework.states(id) };
  }

  it.concurrent('is TASK_KILLED by KILL, after TASK_KILLING', async () => {
    await using framework = await TestFramework.subscribe();
    const { status, states } = await killed(framework, 'exec sleep 600');
    expect(states).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
    expect(status.message).toContain('terminated with signal Terminated');
  });

  it.concurrent('is not TASK_KILLING for a framework without TASK_KILLING_STATE', async () => {
    await using framework = await TestFramework.subscribe({
      info: { capabilities: [{ type: 'MULTI_ROLE' }] },
    });
    const { states } = await killed(framework, 'exec sleep 600');
    expect(states).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
  });
});

it('MESSAGE is passed from framework to executor and back, unchanged', async () => {
  await using framework = await TestFramework.subscribe();
  const executor = executorInfo('messages');
  let id = '';
  const { agent_id } = await framework.launch((offer) => {
    const task = executorTask(offer, {}, { executor });
    id = task.task_id.value;
    return task;
  });
  await framework.update(id, 'TASK_RUNNING');
  const data = encodeJson('grüß dich');
  await framework.call({ type: 'MESSAGE', message: { agent_id, executor_id: executor.executor_id, data } });
  expect((await framework.event('MESSAGE')).message).toEqual({
    agent_id,
    executor_id: executor.executor_id,
    data,
  });
});
