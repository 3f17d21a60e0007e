import { describe, expect, test } from 'vitest';
import type { ExecutorEvent, TaskInfo } from '../../mesos/types.ts';
import { inputOf } from './agent-event.ts';

const POLICY = { file: '/policy', policy: { cpuQuota: true } };

function input(event: object): unknown {
  return inputOf(event as ExecutorEvent, () => POLICY);
}

describe('an event of the agent', () => {
  test('SUBSCRIBED has the capabilities of the framework', () => {
    const subscribed = { framework_info: { capabilities: [{ type: 'TASK_KILLING_STATE' }] } };
    expect(input({ type: 'SUBSCRIBED', subscribed })).toEqual({
      type: 'subscribed',
      capabilities: ['TASK_KILLING_STATE'],
    });
    expect(input({ type: 'SUBSCRIBED', subscribed: { framework_info: {} } })).toEqual({
      type: 'subscribed',
      capabilities: [],
    });
  });

  test('LAUNCH comes with the policy as it is now', () => {
    const task = { task_id: { value: 't' } } as TaskInfo;
    expect(input({ type: 'LAUNCH', launch: { task } })).toEqual({ type: 'launch', task, policy: POLICY });
  });

  test('KILL has its grace period in milliseconds, if it has one', () => {
    const kill = { task_id: { value: 't' }, kill_policy: { grace_period: { nanoseconds: 1_500_000_000 } } };
    expect(input({ type: 'KILL', kill })).toEqual({ type: 'kill', taskId: 't', graceMs: 1500 });
    expect(input({ type: 'KILL', kill: { task_id: { value: 't' } } })).toEqual({
      type: 'kill',
      taskId: 't',
      graceMs: undefined,
    });
  });

  test('ACKNOWLEDGED names the update', () => {
    const acknowledged = { task_id: { value: 't' }, uuid: 'u' };
    expect(input({ type: 'ACKNOWLEDGED', acknowledged })).toEqual({
      type: 'acknowledged',
      taskId: 't',
      uuid: 'u',
    });
  });

  test('of another type is no input', () => {
    expect(input({ type: 'SHUTDOWN' })).toBeUndefined();
  });
});
