/** Formats parts of the state for answers. */

import type { FastifyRequest } from 'fastify';
import type { TaskView } from '../decide/inputs.ts';
import { viewTask } from '../decide/tasks/kill-tasks.ts';
import { servicePortsOf } from '../domain/app.ts';
import { flatId } from '../domain/app-id.ts';
import type { AppRecord, State } from '../domain/state.ts';
import { isReady, type Task } from '../domain/task.ts';
import type { EndpointsJson, V1TaskJson } from './v1/answer-schemas.ts';
import { bytesOf, partOf } from './v2/parts.ts';
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

/**
 * Formats `ID SP PORT SP (HOST:HOSTPORT SP)* LF` for each app and service port. Only ready tasks are listed: a task
 * disappears before it is killed, so that load balancers can react.
 * @param portSuffix names every line `<id>_<port>`, not only those of apps with several ports
 */
export function endpointsText(records: readonly AppRecord[], portSuffix: boolean): Buffer[] {
  const kind = `endpoints ${portSuffix}`;
  return bytesOf(records.map((record) => partOf(record, kind, () => endpointsOf(record, portSuffix))));
}

function endpointsOf(record: AppRecord, portSuffix: boolean): string {
  let text = '';
  const ports = servicePortsOf(record.app);
  const tasks = running(record);
  const name = flatId(record.app.id).replaceAll(/\s+/g, '_');
  for (const [i, port] of ports.entries()) {
    text += `${portSuffix || ports.length > 1 ? `${name}_${port}` : name} ${port} `;
    for (const task of tasks) text += `${task.host}:${task.ports[i]} `;
    text += '\n';
  }
  return text;
}

/**
 * Format of haproxy-marathon-bridge: `app TAB service port TAB host:port TAB … LF`. Source: Marathon's EndpointsHelper.
 */
export function haproxyText(records: readonly AppRecord[]): Buffer[] {
  return bytesOf(records.map((record) => partOf(record, 'haproxy', haproxyOf)));
}

function haproxyOf(record: AppRecord): string {
  const name = flatId(record.app.id);
  const ports = servicePortsOf(record.app);
  const tasks = running(record);
  if (ports.length === 0) return `${name}\t \t${tasks.map(({ host }) => `${host}\t`).join('')}\n`;
  const servers = (i: number) => tasks.map((task) => `\t${task.host}:${task.ports[i] ?? 0}`).join('');
  return ports.map((port, i) => `${name}\t${port}${servers(i)}\t\n`).join('');
}

export function wantsText(request: FastifyRequest): boolean {
  const types = (request.headers.accept ?? '').toLowerCase();
  return types.includes('text/plain') && !types.includes('application/json');
}

export function endpointsJson(record: AppRecord): EndpointsJson {
  const { app } = record;
  return {
    id: flatId(app.id),
    ports: servicePortsOf(app),
    instances: running(record).map((task) => taskJson(viewTask(task))),
  };
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

/** @returns the tasks that can serve requests: running, healthy, and not being killed */
function running(record: AppRecord): Task[] {
  return sorted([...record.tasks.values()].filter(isReady));
}

function sorted(tasks: Task[]): Task[] {
  return tasks.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function order({ host, ports, id }: Task): string {
  return `${host}\0${String(ports[0] ?? 0).padStart(5, '0')}\0${id}`;
}
