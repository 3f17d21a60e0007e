/** Formats parts of the state for answers. */

import type { FastifyRequest } from 'fastify';
import type { TaskView } from '../decide/inputs.ts';
import { viewTask } from '../decide/tasks/kill-tasks.ts';
import type { AppRecord, State } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import type { V1TaskJson } from './v1/answer-schemas.ts';
import type { MetricsJson } from './v2/scheduler-schemas.ts';

/** Formats a task for v1, without the app's id, which is elsewhere in the answer. */
export function taskJson({ id, host, ports }: TaskView): V1TaskJson {
  return { id, host, ports };
}

const lastSorted = new WeakMap<State, readonly AppRecord[]>();

/** @returns all apps in a stable order */
export function appsOf(state: State): readonly AppRecord[] {
  const last = lastSorted.get(state);
  // Equal number and all still present: no app was created or removed since.
  if (last?.length === state.apps.size && last.every((record) => state.apps.get(record.app.id) === record))
    return last;
  const sorted = [...state.apps.values()].sort((a, b) => (a.app.id < b.app.id ? -1 : 1));
  lastSorted.set(state, sorted);
  return sorted;
}

/** @returns the running and starting tasks, without unreachable ones */
export function tasksOf({ tasks }: AppRecord) {
  return sorted([...tasks.values()].filter(({ state }) => state !== 'TASK_UNREACHABLE')).map((task) =>
    taskJson(viewTask(task)),
  );
}

export function wantsText(request: FastifyRequest): boolean {
  const types = (request.headers.accept ?? '').toLowerCase();
  return types.includes('text/plain') && !types.includes('application/json');
}

export function metricsJson(
  state: State,
  vitals: { uptimeSeconds: number; memoryBytes: number },
): MetricsJson {
  const byState: Record<string, number> = {};
  for (const { state: name } of state.tasks.values()) byState[name] = (byState[name] ?? 0) + 1;
  const gauges: Record<string, { value: number }> = {
    'mesosup.apps': { value: state.apps.size },
    'mesosup.apps.waiting': { value: state.waiting.size },
    'mesosup.tasks': { value: state.tasks.size },
    'mesosup.tasks.unanswered': { value: state.unanswered.size },
    'mesosup.connected': { value: state.connected ? 1 : 0 },
    'mesosup.connections': { value: state.connection },
    'mesosup.uptime.seconds': { value: vitals.uptimeSeconds },
    'mesosup.memory.bytes': { value: vitals.memoryBytes },
  };
  for (const [name, value] of Object.entries(byState)) gauges[`mesosup.tasks.${name}`] = { value };
  return { version: '3.0.0', gauges };
}

/** Sorts tasks by host and first port. */
export function sorted(tasks: Task[]): Task[] {
  return tasks.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function order({ host, ports, id }: Task): string {
  return `${host}\0${String(ports[0] ?? 0).padStart(5, '0')}\0${id}`;
}
