import type { App } from '../domain/app.ts';
import type { StateEvent } from '../domain/events.ts';
import type { AppRecord, State } from '../domain/state.ts';
import { isKillable, type Task } from '../domain/task.ts';
import { endTasks } from './ending.ts';
import { launchProblem } from './form.ts';
import type { Decision, FieldError, Input, TaskFilter, TaskView } from './inputs.ts';

export function startApp(
  state: State,
  { app, seed }: Extract<Input, { type: 'start' }>,
  now: number,
): Decision {
  const { id } = app;
  if (state.apps.has(id)) return invalid([{ attribute: 'id', error: `Already started app '${id}'` }]);
  const problem = launchProblem(app, state.settings);
  if (problem) return invalid([problem]);
  const ports = servicePorts(state, app.ports, seed);
  if (!ports) return invalid([{ attribute: 'ports', error: noPortLeft(state) }]);
  const started: App = { ...app, ports };
  return {
    events: [{ type: 'app_started', app: started, run: state.runs + 1, at: now }],
    calls: [],
    reply: { type: 'done' },
  };
}

export function scaleApp(
  state: State,
  { appId, instances }: Extract<Input, { type: 'scale' }>,
  now: number,
): Decision {
  const record = state.apps.get(appId);
  if (!record) return { events: [], calls: [], reply: { type: 'unknown_app', appId } };
  const scaled: StateEvent = { type: 'app_scaled', appId, instances, at: now };
  const excess = record.counted - record.ending - instances;
  const { events, calls } = endTasks(state, excess > 0 ? youngest(record, excess) : [], now);
  return { events: [scaled, ...events], calls, reply: { type: 'done' } };
}

export function stopApp(state: State, appId: string, now: number): Decision {
  const record = state.apps.get(appId);
  if (!record) return { events: [], calls: [], reply: { type: 'unknown_app', appId } };
  const { events, calls } = endTasks(state, [...record.tasks.values()].filter(isKillable), now);
  // The tasks are ended first: afterwards they are no app's.
  return { events: [...events, { type: 'app_stopped', appId, at: now }], calls, reply: { type: 'done' } };
}

/** Ends the tasks that match; with `scale` their apps get as many instances fewer, else they are replaced. */
export function killTasks(
  state: State,
  { filter, scale }: Extract<Input, { type: 'kill_tasks' }>,
  now: number,
): Decision {
  const events: StateEvent[] = [];
  const tasks: Task[] = [];
  for (const record of appsOf(state, filter)) {
    const matching = [...record.tasks.values()].filter((task) => isKillable(task) && matches(task, filter));
    tasks.push(...matching);
    if (!scale || matching.length === 0) continue;
    const instances = Math.max(0, record.app.instances - matching.length);
    events.push({ type: 'app_scaled', appId: record.app.id, instances, at: now });
  }
  const ended = endTasks(state, tasks, now);
  return {
    events: [...events, ...ended.events],
    calls: ended.calls,
    reply: { type: 'killed', tasks: tasks.map(view) },
  };
}

export function view({ appId, id, host, ports }: Task): TaskView {
  return { appId, id, host, ports };
}

function appsOf(state: State, { appId }: TaskFilter): AppRecord[] {
  if (appId === undefined || appId === '*') return [...state.apps.values()];
  const record = state.apps.get(appId);
  return record ? [record] : [];
}

/** Neither host nor id given matches nothing: a forgotten parameter must not end every task. */
function matches(task: Task, { host, taskId }: TaskFilter): boolean {
  return host === '*' || task.host === host || task.id === taskId;
}

function youngest(record: AppRecord, howMany: number): Task[] {
  return [...record.tasks.values()]
    .filter(isKillable)
    .sort((a, b) => b.launchedAt - a.launchedAt || (a.id < b.id ? 1 : -1))
    .slice(0, howMany);
}

function invalid(errors: FieldError[]): Decision {
  return { events: [], calls: [], reply: { type: 'invalid', errors } };
}

/** Gives a port to each 0, and one to an app that names none. Undefined when the range is used up. */
function servicePorts(state: State, wanted: readonly number[], seed: number): number[] | undefined {
  const { localPortMin, localPortMax } = state.settings;
  const size = localPortMax - localPortMin + 1;
  const taken = new Set(wanted);
  let next = Math.floor(seed * size);
  let tries = 0;
  const ports: number[] = [];
  for (const port of wanted.length > 0 ? wanted : [0]) {
    if (port !== 0) {
      ports.push(port);
      continue;
    }
    for (;;) {
      if (tries === size) return undefined;
      const candidate = localPortMin + (next % size);
      next += 1;
      tries += 1;
      if (taken.has(candidate) || state.servicePorts.has(candidate)) continue;
      taken.add(candidate);
      ports.push(candidate);
      break;
    }
  }
  return ports;
}

function noPortLeft({ settings: { localPortMin, localPortMax } }: State): string {
  return `no service port is left between ${localPortMin} and ${localPortMax}: stop an app, or widen the range with --local_port_min and --local_port_max`;
}
