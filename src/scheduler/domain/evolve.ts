import { isTerminal, type TaskState } from '../../mesos/types.ts';
import type { App } from './app.ts';
import type { StateEvent } from './events.ts';
import { PROMPT_RELAUNCHES } from './settings.ts';
import { type AppRecord, lossesWith, ownerOf, type State, type TaskFailure } from './state.ts';
import { isCounted, type Task } from './task.ts';
import { isOfTheCluster } from './task-end.ts';
import { popTimers, pushTimer } from './timers.ts';

/** Agents remembered for each waiting app: enough to say why, bounded however many agents there are. */
const MOST_REFUSALS = 50;

const HAS_BEGUN: ReadonlySet<TaskState> = new Set(['TASK_STARTING', 'TASK_RUNNING']);
const FAILURES: ReadonlySet<TaskState> = new Set(['TASK_FAILED', 'TASK_ERROR', 'TASK_DROPPED', 'TASK_LOST']);

/** Applies one event to the state, in place. The cost does not grow with the number of apps or tasks. */
export function evolve(state: State, event: StateEvent): void {
  switch (event.type) {
    case 'framework_registered':
      state.frameworkId = event.frameworkId;
      return;
    case 'framework_forgotten':
      delete state.frameworkId;
      return;
    case 'runs_restored':
      state.runs = event.runs;
      return;
    case 'app_started':
    case 'app_restored':
      startApp(state, event.app, event.run, event.at, event.type === 'app_restored' ? event : undefined);
      return;
    case 'app_scaled':
      scaleApp(state, event.appId, event.instances, event.at);
      return;
    case 'app_stopped':
      stopApp(state, event.appId, event.at);
      return;
    case 'task_launched':
    case 'task_restored':
      addTask(state, { ...event.task }, event.type === 'task_launched');
      return;
    case 'task_updated':
      updateTask(state, event);
      return;
    case 'task_killed':
      killTask(state, event.taskId, event.at);
      return;
    case 'connected':
      state.connected = true;
      state.connection += 1;
      state.offersWanted = state.ready.size > 0;
      return;
    case 'disconnected':
      state.connected = false;
      state.disconnectedBecause = event.reason;
      state.unanswered.clear();
      return;
    case 'offers_suppressed':
      state.suppressed = true;
      return;
    case 'offers_revived':
      state.suppressed = false;
      state.offersWanted = false;
      return;
    case 'offers_wanted':
      state.offersWanted = true;
      return;
    case 'app_delayed':
      delayApp(state, event.appId, event.delayMs, event.at);
      return;
    case 'delay_passed':
      refresh(state, state.apps.get(event.appId), event.at);
      return;
    case 'offer_refused':
      refuse(state.apps.get(event.appId), event);
      return;
    case 'tasks_unanswered':
      for (const id of event.taskIds) state.unanswered.add(id);
      return;
    case 'task_answered':
      state.unanswered.delete(event.taskId);
      return;
    case 'timer_set':
      pushTimer(state.timers, event);
      return;
    case 'timers_fired':
      popTimers(state.timers, event.until);
      return;
  }
}

function startApp(
  state: State,
  app: App,
  run: number,
  at: number,
  restored?: { launches: number; lastFailure?: TaskFailure },
): void {
  const record: AppRecord = {
    app,
    run,
    changedAt: at,
    launches: restored?.launches ?? 0,
    tasks: new Map(),
    counted: 0,
    ending: 0,
    missing: 0,
    perAgent: new Map(),
    refusals: new Map(),
    ...(restored?.lastFailure && { lastFailure: restored.lastFailure }),
  };
  state.runs = Math.max(state.runs, run);
  state.apps.set(app.id, record);
  for (const port of app.ports) count(state.servicePorts, port, 1);
  refresh(state, record, at);
}

function scaleApp(state: State, appId: string, instances: number, at: number): void {
  const record = state.apps.get(appId);
  if (!record) return;
  record.app = { ...record.app, instances };
  record.changedAt = at;
  refresh(state, record, at);
}

function stopApp(state: State, appId: string, at: number): void {
  const record = state.apps.get(appId);
  if (!record) return;
  for (const task of record.tasks.values()) task.killedAt ??= at;
  for (const port of record.app.ports) count(state.servicePorts, port, -1);
  state.apps.delete(appId);
  state.waiting.delete(appId);
  state.ready.delete(appId);
}

function addTask(state: State, task: Task, launched: boolean): void {
  state.tasks.set(task.id, task);
  if (task.executorId !== undefined) {
    const onAgent = state.executors.get(task.agentId) ?? new Map<string, number>();
    state.executors.set(task.agentId, onAgent);
    count(onAgent, task.executorId, 1);
  }
  const record = ownerOf(state, task);
  if (!record) return;
  record.tasks.set(task.id, task);
  if (launched) record.launches += 1;
  tally(record, task, 1);
  refresh(state, record, task.launchedAt);
}

function removeTask(state: State, task: Task): void {
  state.tasks.delete(task.id);
  state.unanswered.delete(task.id);
  if (task.executorId === undefined) return;
  const onAgent = state.executors.get(task.agentId);
  if (!onAgent) return;
  count(onAgent, task.executorId, -1);
  if (onAgent.size === 0) state.executors.delete(task.agentId);
}

function updateTask(state: State, update: Extract<StateEvent, { type: 'task_updated' }>): void {
  const task = state.tasks.get(update.taskId);
  if (!task) return;
  const record = ownerOf(state, task);
  if (record) tally(record, task, -1);
  task.state = update.state;
  if (update.reason === undefined) delete task.reason;
  else task.reason = update.reason;
  if (update.message === undefined) delete task.message;
  else task.message = update.message;
  if (update.state === 'TASK_RUNNING') task.runningAt ??= update.at;
  if (isTerminal(update.state)) {
    removeTask(state, task);
    record?.tasks.delete(task.id);
    if (record) noteEnd(record, task, update.at);
    if (state.ready.size > 0) state.offersWanted = true;
  } else if (record) {
    tally(record, task, 1);
    if (HAS_BEGUN.has(update.state)) delete record.losses;
  }
  refresh(state, record, update.at);
}

/** Remembers what the end of a task says of its app. */
function noteEnd(record: AppRecord, task: Task, at: number): void {
  if (task.killedAt !== undefined) return;
  const lost = isOfTheCluster(task.state, task.reason);
  if (lost && task.runningAt === undefined) record.losses = { waves: lossesWith(record, task), at };
  const isFailure = lost ? (record.losses?.waves ?? 0) > PROMPT_RELAUNCHES : FAILURES.has(task.state);
  if (isFailure) record.lastFailure = failureOf(task, at);
}

function failureOf(task: Task, at: number): TaskFailure {
  const message = task.message || task.reason || 'no message was given';
  return { taskId: task.id, host: task.host, state: task.state, message, at };
}

function killTask(state: State, taskId: string, at: number): void {
  const task = state.tasks.get(taskId);
  if (!task || task.killedAt !== undefined) return;
  const record = ownerOf(state, task);
  if (record) tally(record, task, -1);
  task.killedAt = at;
  if (record) tally(record, task, 1);
}

function delayApp(state: State, appId: string, ms: number, at: number): void {
  const record = state.apps.get(appId);
  if (!record) return;
  record.delay = { ms, until: at + ms, failedAt: at };
  refresh(state, record, at);
}

function refuse(
  record: AppRecord | undefined,
  event: { agentId: string; host: string; reason: string },
): void {
  if (!record) return;
  if (record.refusals.size >= MOST_REFUSALS && !record.refusals.has(event.agentId)) return;
  record.refusals.set(event.agentId, { host: event.host, reason: event.reason });
}

/** Adds or takes away one task from its app's counts. */
function tally(record: AppRecord, task: Task, by: 1 | -1): void {
  if (!isCounted(task)) return;
  record.counted += by;
  if (task.killedAt !== undefined) record.ending += by;
  count(record.perAgent, task.agentId, by);
}

function count<K>(counts: Map<K, number>, key: K, by: number): void {
  const value = (counts.get(key) ?? 0) + by;
  if (value > 0) counts.set(key, value);
  else counts.delete(key);
}

/** Whether the app waits, and may launch; called after whatever could have changed that. */
function refresh(state: State, record: AppRecord | undefined, now: number): void {
  if (!record) return;
  const { id, instances } = record.app;
  const before = record.missing;
  record.missing = Math.max(0, instances - record.counted);
  if (record.missing === 0) {
    state.waiting.delete(id);
    state.ready.delete(id);
    record.refusals.clear();
    delete record.waitingSince;
    return;
  }
  record.waitingSince ??= now;
  state.waiting.add(id);
  if (record.delay && record.delay.until > now) {
    state.ready.delete(id);
    return;
  }
  if (!state.ready.has(id) || record.missing > before) state.offersWanted = true;
  state.ready.add(id);
}
