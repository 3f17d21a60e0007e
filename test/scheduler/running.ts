import type { TaskStatus } from '../../src/mesos/types.ts';
import type { Call } from '../../src/scheduler/decide/inputs.ts';
import type { AgentSpec } from '../../src/simulator/agent.ts';
import { app, start } from './fixtures.ts';
import { Harness } from './harness.ts';

export const AGENTS: AgentSpec[] = ['a', 'b'].map((host, i) => ({
  id: `S${i}`,
  host,
  cpus: 4,
  mem: 8192,
  ports: 20,
}));

/** Two agents that run all instances of the 2013 page's app. */
export function running(instances = 2): Harness {
  const harness = new Harness(AGENTS);
  harness.input(start(app({ instances })));
  harness.rest();
  return harness;
}

export function ids(harness: Harness): string[] {
  return [...harness.state.tasks.keys()];
}

/** @returns the id of the oldest task */
export function first(harness: Harness): string {
  return ids(harness)[0] ?? '';
}

/** @returns the calls after the first `from` calls */
export function since(harness: Harness, from: number): Call[] {
  return harness.mesos.calls.slice(from);
}

/** Delivers an update, by default TASK_RUNNING. */
export function update(harness: Harness, taskId: string, more: Partial<TaskStatus>) {
  const status = {
    task_id: { value: taskId },
    agent_id: { value: 'S0' },
    state: 'TASK_RUNNING',
    ...more,
  } as const;
  harness.input({ type: 'mesos', event: { type: 'UPDATE', update: { status } } });
}
