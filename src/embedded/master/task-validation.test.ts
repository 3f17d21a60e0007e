import { describe, expect, it } from 'vitest';
import { amountsOf } from '../../mesos/resources.ts';
import type { ExecutorInfo, TaskInfo } from '../../mesos/types.ts';
import { parseResources } from '../wire/resource-text.ts';
import { type LaunchContext, normalizeTask, sameExecutor, validateTask } from './task-validation.ts';

const EXECUTOR: ExecutorInfo = {
  executor_id: { value: 'e' },
  command: { value: '/executor' },
  resources: parseResources('cpus:0.1;mem:32'),
};

function context(more: Partial<LaunchContext> = {}): LaunchContext {
  return {
    frameworkId: 'f',
    agentId: 'a',
    left: amountsOf(parseResources('ports:[31000-31000,31002-32000];cpus:7.4;mem:8096')),
    role: '*',
    taskState: () => 'none',
    executor: () => undefined,
    ...more,
  };
}

function validate(task: Partial<TaskInfo>, more: Partial<LaunchContext> = {}): string | undefined {
  const whole: TaskInfo = {
    name: 't',
    task_id: { value: 't' },
    agent_id: { value: 'a' },
    resources: parseResources('cpus:1'),
    ...(task.executor ? {} : { command: { value: 'true' } }),
    ...task,
  };
  return validateTask(normalizeTask(whole, 'f', '*'), context(more));
}

describe('validateTask', () => {
  it('accepts a valid task', () => {
    expect(validate({})).toBeUndefined();
    expect(validate({ executor: EXECUTOR })).toBeUndefined();
  });

  it('reports the complete sum of a task that exceeds the offer, including a new executor', () => {
    const resources = parseResources('cpus:900;mem:64;ports:[31003-31003]');
    const available =
      'ports(allocated: *):[31000-31000, 31002-32000]; cpus(allocated: *):7.4; mem(allocated: *):8096';
    const sum = (text: string) =>
      `Total resources ${text}; ports(allocated: *):[31003-31003] required by task and its executor` +
      ` is more than available ${available}`;
    const known = { executor: () => normalized(EXECUTOR) };
    expect(validate({ resources, executor: EXECUTOR }, known)).toBe(
      sum('cpus(allocated: *):900; mem(allocated: *):64'),
    );
    expect(validate({ resources, executor: EXECUTOR })).toBe(
      sum('cpus(allocated: *):900.1; mem(allocated: *):96'),
    );
  });

  it('refuses a port that is not offered', () => {
    expect(validate({ resources: parseResources('ports:[31001-31001]') })).toContain(
      'is more than available',
    );
  });

  it('refuses resources of another role than the offer', () => {
    const resources = parseResources('cpus:1').map((r) => ({ ...r, allocation_info: { role: 'dev' } }));
    expect(validate({ resources })).toContain('cpus(allocated: dev):1 required');
  });

  it.each([
    ['Task has duplicate ID: t', {}, { taskState: () => 'known' as const }],
    ['Task reuses the ID of an unreachable task: t', {}, { taskState: () => 'unreachable' as const }],
    ['Task uses invalid agent b while agent a is expected', { agent_id: { value: 'b' } }, {}],
    ['Task uses no resources', { resources: [] }, {}],
    ['ID must not be empty', { task_id: { value: '' } }, {}],
    ["'..' is disallowed", { task_id: { value: '..' } }, {}],
    ["'a/b' contains invalid characters", { task_id: { value: 'a/b' } }, {}],
    ["'ExecutorInfo.command' must be set", { executor: { executor_id: { value: 'e' } } }, {}],
    [
      'ExecutorInfo has an invalid FrameworkID (Actual: g vs Expected: f)',
      { executor: { ...EXECUTOR, framework_id: { value: 'g' } } },
      {},
    ],
    [
      "Task's 'kill_policy.grace_period' must be non-negative",
      { kill_policy: { grace_period: { nanoseconds: -1 } } },
      {},
    ],
    [
      "Task uses invalid health check: Expecting 'tcp' to be set for TCP health check",
      { health_check: { type: 'TCP' as const } },
      {},
    ],
    [
      "Task uses invalid health check: HealthCheck must specify 'type'",
      { health_check: {}, resources: [] },
      {},
    ],
  ])('says "%s"', (message, task, more) => {
    expect(validate(task, more)).toBe(message);
  });

  it('requires exactly one of command and executor', () => {
    const both = 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
    expect(validate({ executor: EXECUTOR, command: { value: 'true' } })).toBe(both);
    const neither: TaskInfo = {
      name: 't',
      task_id: { value: 't' },
      agent_id: { value: 'a' },
      resources: parseResources('cpus:1'),
    };
    expect(validateTask(normalizeTask(neither, 'f', '*'), context())).toBe(both);
  });

  it.each([
    ['cpus', -1],
    ['mem', Number.NaN],
  ])('refuses %s of %d', (name, value) => {
    expect(validate({ resources: [{ name, type: 'SCALAR', scalar: { value } }] })).toBeDefined();
  });

  it('refuses an ExecutorInfo that differs from the known one with the same id', () => {
    const known = { executor: () => normalized(EXECUTOR) };
    expect(validate({ executor: EXECUTOR }, known)).toBeUndefined();
    for (const change of [
      { command: { value: '/other' } },
      { name: 'n' },
      { resources: parseResources('cpus:0.2;mem:32') },
      { shutdown_grace_period: { nanoseconds: 1 } },
    ]) {
      expect(validate({ executor: { ...EXECUTOR, ...change } }, known)).toMatch(
        /^ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID\.\n/,
      );
    }
  });
});

function normalized(executor: ExecutorInfo): ExecutorInfo {
  const task = { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' }, resources: [], executor };
  return normalizeTask(task, 'f', '*').executor ?? executor;
}

describe('sameExecutor', () => {
  it('ignores the order of keys and resources, and explicit defaults', () => {
    const written: ExecutorInfo = {
      resources: [...(EXECUTOR.resources ?? [])].reverse().map((r) => ({ ...r, role: '*' })),
      command: { shell: true, value: '/executor', uris: [], arguments: [] },
      type: 'CUSTOM',
      executor_id: { value: 'e' },
    };
    expect(sameExecutor(EXECUTOR, written)).toBe(true);
  });

  it('compares the role that resources are allocated to', () => {
    const of = (role: string) => ({
      ...EXECUTOR,
      resources: parseResources('cpus:1').map((r) => ({ ...r, allocation_info: { role } })),
    });
    expect(sameExecutor(of('a'), of('b'))).toBe(false);
  });
});
