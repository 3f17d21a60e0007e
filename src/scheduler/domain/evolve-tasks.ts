import { isTerminal, type TaskState } from '../../mesos/types.ts';
import { afterOutcome } from './check-results.ts';
import { count, refresh, updateCounts } from './counts.ts';
import type { StateEvent } from './events.ts';
import { tieTask } from './evolve-reservations.ts';
import { canMove } from './rollout.ts';
import { IMMEDIATE_RELAUNCHES } from './settings.ts';
import { type AppRecord, countLosses, orphansKey, ownerOf, type State, type TaskFailure } from './state.ts';
import { isEnding, isReady, type Task, type TaskAddress } from './task.ts';
import { isClusterFailure } from './task-end.ts';

const STARTED: ReadonlySet<TaskState> = new Set(['TASK_STARTING', 'TASK_RUNNING']);
const FAILURES: ReadonlySet<TaskState> = new Set(['TASK_FAILED', 'TASK_ERROR', 'TASK_DROPPED', 'TASK_LOST']);

export function addTask(state: State, task: Task, launched: boolean): void {
  state.tasks.set(task.id, task);
  tieTask(state, task, launched);
  if (task.executorId !== undefined) {
    const onAgent = state.executors.get(task.agentId) ?? new Map<string, number>();
    state.executors.set(task.agentId, onAgent);
    count(onAgent, task.executorId, 1);
  }
  const record = ownerOf(state, task);
  if (!record) {
    count(state.orphans, orphansKey(task), 1);
    return;
  }
  record.tasks.set(task.id, task);
  if (launched) record.launches += 1;
  updateCounts(record, task, 1);
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

export function updateTask(state: State, update: Extract<StateEvent, { type: 'task_updated' }>): void {
  const task = state.tasks.get(update.taskId);
  if (!task) return;
  const record = ownerOf(state, task);
  const wasReady = isReady(task);
  if (record) updateCounts(record, task, -1);
  task.state = update.state;
  if (update.state === 'TASK_UNREACHABLE') task.unreachableAt ??= update.at;
  else {
    delete task.unreachableAt;
    delete task.inactive;
  }
  if (update.healthy !== undefined) task.healthy = update.healthy;
  if (update.reason === undefined) delete task.reason;
  else task.reason = update.reason;
  if (update.message === undefined) delete task.message;
  else task.message = update.message;
  if (update.state === 'TASK_RUNNING') task.runningAt ??= update.at;
  if (isTerminal(update.state)) {
    removeTask(state, task);
    tieTask(state, task, false);
    if (record) handleEnd(state, record, task, update.at);
    else handleOrphanEnd(state, task);
    if (state.ready.size > 0) state.offersWanted = true;
  } else if (record) {
    updateCounts(record, task, 1);
    if (STARTED.has(update.state)) delete record.losses;
    if (!wasReady && isReady(task)) markProgress(state, record, update.at);
  }
  refresh(state, record, update.at);
}

function handleEnd(state: State, record: AppRecord, task: Task, at: number): void {
  record.tasks.delete(task.id);
  recordEnd(state, record, task, at);
  if (isEnding(task)) markProgress(state, record, at);
  const isDone = task.state === 'TASK_FINISHED' && task.killedAt === undefined;
  if (!isDone || record.active?.mode !== 'job' || task.configVersion !== record.active.configVersion) return;
  record.succeeded += 1;
  markProgress(state, record, at);
}

function handleOrphanEnd(state: State, task: Task): void {
  const key = orphansKey(task);
  count(state.orphans, key, -1);
  if (state.orphans.has(key)) return;
  // A deployment may have waited for the last of them.
  for (const id of state.deployments.keys()) state.unsettledDeployments.add(id);
}

/** Records progress of the app's deployment. */
function markProgress(state: State, record: AppRecord, at: number): void {
  const deployment = state.deployments.get(record.deploymentId ?? '');
  if (deployment) deployment.progressedAt = at;
}

/** Records what the end of a task means for its app. */
function recordEnd(state: State, record: AppRecord, task: Task, at: number): void {
  if (isEnding(task)) return;
  const lost = isClusterFailure(task.state, task.reason);
  if (lost && task.runningAt === undefined) record.losses = { waves: countLosses(record, task), at };
  const isFailure = lost
    ? (record.losses?.waves ?? 0) > IMMEDIATE_RELAUNCHES
    : FAILURES.has(task.state) || task.healthy === false;
  if (isFailure) recordFailure(state, record, task, at);
}

function recordFailure(state: State, record: AppRecord, task: Task, at: number): void {
  record.lastFailure = failureOf(task, at);
  const deployment = state.deployments.get(record.deploymentId ?? '');
  if (deployment && task.configVersion === record.active?.configVersion) deployment.failures += 1;
}

function failureOf(task: Task, at: number): TaskFailure {
  const { id: taskId, host, agentId, version, state } = task;
  return {
    taskId,
    host,
    agentId,
    version,
    state,
    message: task.message || task.reason || 'no message',
    at,
  };
}

export function drainTask(
  state: State,
  { taskId, at, until }: Extract<StateEvent, { type: 'task_draining' }>,
): void {
  const task = state.tasks.get(taskId);
  const record = task && ownerOf(state, task);
  if (!record) return;
  updateCounts(record, task, -1);
  task.drainUntil = until;
  updateCounts(record, task, 1);
  markProgress(state, record, at);
  refresh(state, record, at);
}

export function changeDrain(
  state: State,
  { agentId, drains, at }: Extract<StateEvent, { type: 'agent_drain_changed' }>,
): void {
  if (drains) state.drainingAgents.add(agentId);
  else state.drainingAgents.delete(agentId);
  const changed = new Set<AppRecord>();
  for (const task of state.tasks.values()) {
    const record = task.agentId === agentId ? ownerOf(state, task) : undefined;
    if (!record) continue;
    updateCounts(record, task, -1);
    if (drains && canMove(record.app)) task.leaving = true;
    else delete task.leaving;
    updateCounts(record, task, 1);
    changed.add(record);
  }
  for (const record of changed) {
    markProgress(state, record, at);
    refresh(state, record, at);
  }
  // Offers of the agent were declined.
  if (!drains && state.ready.size > 0) state.offersWanted = true;
}

export function addressTask(state: State, taskId: string, addresses: readonly TaskAddress[]): void {
  const task = state.tasks.get(taskId);
  if (!task) return;
  task.addresses = addresses;
  const record = ownerOf(state, task);
  if (record) record.revision += 1;
}

export function killTask(
  state: State,
  { taskId, at, unhealthy }: Extract<StateEvent, { type: 'task_killed' }>,
): void {
  const task = state.tasks.get(taskId);
  if (!task || task.killedAt !== undefined) return;
  const record = ownerOf(state, task);
  if (record) updateCounts(record, task, -1);
  task.killedAt = at;
  if (!record) return;
  if (task.drainUntil !== undefined) markProgress(state, record, at);
  if (unhealthy !== undefined) recordFailure(state, record, { ...task, message: unhealthy }, at);
  updateCounts(record, task, 1);
  refresh(state, record, at);
}

export function giveUpTask(state: State, taskId: string, at: number): void {
  const task = state.tasks.get(taskId);
  if (task?.state !== 'TASK_UNREACHABLE') return;
  const record = ownerOf(state, task);
  if (record) updateCounts(record, task, -1);
  task.inactive = true;
  if (record) updateCounts(record, task, 1);
  refresh(state, record, at);
}

/** Marks the tasks that run when a scheduler begins to lead. */
export function resumeTasks(state: State): void {
  for (const task of state.tasks.values()) if (task.state === 'TASK_RUNNING') task.resumed = true;
  for (const record of state.apps.values()) record.revision += 1;
}

export function probeTask(
  state: State,
  { taskId, probe, ...outcome }: Extract<StateEvent, { type: 'task_probed' }>,
): void {
  const task = state.tasks.get(taskId);
  const record = task && ownerOf(state, task);
  if (!record) return;
  const before = task.probed?.[probe];
  const results = afterOutcome(before, outcome);
  const probed = Array.from({ length: task.probes ?? 0 }, (_, i) =>
    i === probe ? results : task.probed?.[i],
  );
  if (before?.healthy === results.healthy) {
    task.probed = probed;
    // Successes come all the time: cached answers need not show the time of the last one.
    if (!results.healthy) record.revision += 1;
    return;
  }
  const wasReady = isReady(task);
  updateCounts(record, task, -1);
  task.probed = probed;
  updateCounts(record, task, 1);
  if (!wasReady && isReady(task)) markProgress(state, record, outcome.at);
  refresh(state, record, outcome.at);
}

export function checkTask(
  state: State,
  { taskId, uuid, ...outcome }: Extract<StateEvent, { type: 'task_checked' }>,
): void {
  const task = state.tasks.get(taskId);
  if (!task) return;
  task.agentResults = { ...afterOutcome(task.agentResults, outcome), uuid };
  const record = ownerOf(state, task);
  if (record) record.revision += 1;
}
