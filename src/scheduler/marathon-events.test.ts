import { describe, expect, it } from 'vitest';
import { appV2, start } from '../../test/scheduler/fixtures.ts';
import { Harness } from '../../test/scheduler/harness.ts';
import { AGENTS } from '../../test/scheduler/running.ts';
import { serverEvents } from './marathon-events.ts';

describe('the event instance_draining', () => {
  const harness = new Harness(AGENTS);
  harness.input(start(appV2({ instances: 1, cpus: 0.1, drainSeconds: 30 })));
  harness.rest();
  const [task] = harness.state.tasks.values();
  const { id: taskId = '', host, agentId, version } = task ?? {};
  const fields = { runSpecId: '/sleeper', host, agentId, runSpecVersion: version };

  it('tells when a draining task is killed', () => {
    const event = { type: 'task_draining', taskId, at: 1000, until: 31_000 } as const;
    expect(serverEvents(harness.state, event, 1000)).toEqual([
      expect.objectContaining({
        ...fields,
        eventType: 'instance_draining',
        timestamp: '1970-01-01T00:00:01.000Z',
        killAt: '1970-01-01T00:00:31.000Z',
      }),
    ]);
  });

  it('is sent when an agent that is drained kills a task by itself', () => {
    const event = { type: 'task_updated', taskId, state: 'TASK_KILLING', at: 5000 } as const;
    const [first, ...others] = serverEvents(harness.state, event, 5000);
    expect(first).toMatchObject({
      ...fields,
      eventType: 'instance_draining',
      killAt: '1970-01-01T00:00:05.000Z',
    });
    expect(others.map(({ eventType }) => eventType)).toEqual([
      'status_update_event',
      'instance_changed_event',
    ]);
  });

  it('is not sent a second time with the kill', () => {
    const state = harness.state;
    if (task) task.drainUntil = 31_000;
    const event = { type: 'task_updated', taskId, state: 'TASK_KILLING', at: 32_000 } as const;
    const types = serverEvents(state, event, 32_000).map(({ eventType }) => eventType);
    expect(types).not.toContain('instance_draining');
  });
});
