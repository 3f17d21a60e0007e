import { isTerminal, type TaskState, type TaskStatus } from '../../../mesos/types.ts';
import { showsLack } from '../../domain/agents.ts';
import type { App } from '../../domain/app.ts';
import type { StateEvent } from '../../domain/events.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { IMMEDIATE_RELAUNCHES, STABLE_AFTER_MS } from '../../domain/settings.ts';
import { type AppRecord, countLosses, ownerOf, type State } from '../../domain/state.ts';
import { isEnding, type Task } from '../../domain/task.ts';
import { isClusterFailure } from '../../domain/task-end.ts';
import type { Call, Decision } from '../inputs.ts';
import { endTasks } from '../tasks/ending.ts';
import { kill } from './calls.ts';

/** Handles a status update or an answer to a reconciliation. */
export function handleUpdate(state: State, status: TaskStatus, now: number): Decision {
  const task = state.tasks.get(status.task_id.value);
  if (!task && state.leftTasks.has(status.task_id.value)) {
    const ended: StateEvent = { type: 'left_task_ended', taskId: status.task_id.value };
    return { events: isTerminal(status.state) ? [ended] : [], calls: acknowledge(status) };
  }
  const reservation = state.reservations.get(status.task_id.value);
  if (!task && reservation?.leaving) return { events: agentOf(state, reservation, status, now), calls: [] };
  if (!task) return { events: [], calls: [...acknowledge(status), ...killUnknown(status)] };
  const events: StateEvent[] = [];
  if (state.unanswered.has(task.id)) events.push({ type: 'task_answered', taskId: task.id });
  events.push(...addressesIn(task, status), ...resultIn(task, status, now));
  if (!hasNews(task, status)) return { events, calls: acknowledge(status) };
  events.push({
    type: 'task_updated',
    taskId: task.id,
    state: status.state,
    at: now,
    ...(status.healthy !== undefined && { healthy: status.healthy }),
    ...(status.reason !== undefined && { reason: status.reason }),
    ...(status.message !== undefined && { message: status.message }),
  });
  const record = ownerOf(state, task);
  if (status.state === 'TASK_UNREACHABLE') {
    events.push(
      ...giveUpUnreachable(record, { ...task, unreachableAt: task.unreachableAt ?? now }, now, true),
    );
    return { events, calls: acknowledge(status) };
  }
  if (isTerminal(status.state)) {
    events.push(
      ...delayRelaunch(record, task, status, now),
      ...suspectAgent(state, record, task, status, now),
    );
    return { events, calls: [...acknowledge(status), ...shutDownEmptied(state, task)] };
  }
  if (task.state === 'TASK_UNREACHABLE' && isUnwanted(record, task)) {
    const ended = endTasks(state, [task], now);
    return { events: [...events, ...ended.events], calls: [...acknowledge(status), ...ended.calls] };
  }
  return { events, calls: acknowledge(status) };
}

/**
 * Handles the answer about a reservation that is to be removed. No task has its id, so Mesos answers with the state of the
 * agent. The resources of an unreachable agent may be offered again. An agent that the master does not know is treated
 * alike, since a master without its registry does not know any.
 */
function agentOf(state: State, { id }: Reservation, { state: answer }: TaskStatus, at: number): StateEvent[] {
  const isAwaited = state.leaving.has(id);
  switch (answer) {
    case 'TASK_GONE_BY_OPERATOR':
      return [{ type: 'reservation_removed', reservationId: id, at }];
    case 'TASK_UNREACHABLE':
    case 'TASK_UNKNOWN':
      return isAwaited ? [{ type: 'removal_awaited', reservationId: id, awaited: false }] : [];
    // The agent is registered.
    case 'TASK_GONE':
      return isAwaited ? [] : [{ type: 'removal_awaited', reservationId: id, awaited: true }];
    default:
      return [];
  }
}

/**
 * Ends a shared executor with its last task if its agent drains: an idle executor would delay the drain, which is over
 * when the agent has no executor.
 */
function shutDownEmptied({ drainingAgents, executors, connected }: State, task: Task): Call[] {
  const { agentId, executorId } = task;
  if (!connected || executorId === undefined || !drainingAgents.has(agentId)) return [];
  if (executors.get(agentId)?.get(executorId) !== 1) return [];
  const shutdown = { executor_id: { value: executorId }, agent_id: { value: agentId } };
  return [{ type: 'SHUTDOWN', shutdown }];
}

/** Learns from a failure what an agent can't do, if its flags don't say it. */
function suspectAgent(
  { agents }: State,
  record: AppRecord | undefined,
  { agentId }: Task,
  status: TaskStatus,
  at: number,
): StateEvent[] {
  const containerizer = record?.active?.containerizer;
  const agent = agents.get(agentId);
  if (!containerizer || !agent?.answered || agent.flags || !showsLack(status)) return [];
  return [{ type: 'agent_failed', agentId, containerizer, at }];
}

/** Updates from the master itself carry no uuid and need no acknowledgement. */
function acknowledge({ task_id, agent_id, uuid }: TaskStatus): Call[] {
  return uuid !== undefined && agent_id
    ? [{ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } }]
    : [];
}

/** Kills a task that is not in the state: it was given up, or launched by somebody else, and would run forever. */
function killUnknown({ state, task_id, agent_id }: TaskStatus): Call[] {
  if (isTerminal(state) || state === 'TASK_UNREACHABLE' || !agent_id) return [];
  return [kill({ id: task_id.value, agentId: agent_id.value })];
}

/** Answers of a reconciliation contain the addresses, too. Updates without them leave the known ones. */
function addressesIn(task: Task, { container_status, state }: TaskStatus): StateEvent[] {
  const all = container_status?.network_infos?.flatMap(({ ip_addresses }) => ip_addresses ?? []) ?? [];
  if (state !== 'TASK_RUNNING' || !container_status?.network_infos) return [];
  const addresses = all.flatMap(({ ip_address: ipAddress, protocol = 'IPv4' as const }) =>
    ipAddress === undefined ? [] : [{ ipAddress, protocol }],
  );
  const known = task.addresses ?? [];
  const isSame =
    known.length === addresses.length && known.every((one, i) => one.ipAddress === addresses[i]?.ipAddress);
  return isSame ? [] : [{ type: 'task_addressed', taskId: task.id, addresses }];
}

/** Each such update is a new result, also one that changes nothing; Mesos repeats it until it is acknowledged. */
function resultIn(
  task: Task,
  { state, reason, healthy, message, uuid }: TaskStatus,
  at: number,
): StateEvent[] {
  if (state !== 'TASK_RUNNING' || reason !== 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED') return [];
  if (healthy === undefined || uuid === undefined || uuid === task.agentResults?.uuid) return [];
  const why = healthy || message === undefined ? {} : { why: message };
  return [{ type: 'task_checked', taskId: task.id, uuid, healthy, at, ...why }];
}

const BEGINNING: ReadonlySet<TaskState> = new Set(['TASK_STAGING', 'TASK_STARTING']);

/**
 * True if the update must be stored. A task never goes back to a state before TASK_RUNNING, in any order of answers.
 */
function hasNews(task: Task, { state, reason, message, healthy }: TaskStatus): boolean {
  if (BEGINNING.has(state) && (task.state === 'TASK_RUNNING' || task.state === 'TASK_KILLING')) return false;
  if (state !== task.state) return true;
  if (healthy !== undefined && healthy !== task.healthy) return true;
  if (reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED') return false;
  // The message of a reconciliation holds less than the message of the original update.
  return reason !== 'REASON_RECONCILIATION' && message !== undefined && message !== task.message;
}

/** Until an unreachable task whose state is unknown is looked at again. */
const UNANSWERED_WAIT_MS = 10_000;

/**
 * Gives up an unreachable task at once, after a delay, or never, according to the unreachableStrategy of its app. After
 * `expungeAfterSeconds`, the task is forgotten; if it returns, it is killed. Without it, the task stays in the list, and
 * may be used again if its agent returns before it was replaced.
 * @param isCurrent false if the master has not said yet that the agent is still unreachable: a task that runs again must
 * not be forgotten
 */
export function giveUpUnreachable(
  record: AppRecord | undefined,
  task: Task,
  now: number,
  isCurrent: boolean,
): StateEvent[] {
  const strategy = record?.app.unreachableStrategy;
  if (strategy === 'disabled') return [];
  const { inactiveAfterSeconds = 0, expungeAfterSeconds = 0 } = strategy ?? {};
  const since = task.unreachableAt ?? now;
  const expungeAt = expungeAfterSeconds > 0 ? since + expungeAfterSeconds * 1000 : undefined;
  const forgetAt =
    expungeAt === undefined || isCurrent ? expungeAt : Math.max(expungeAt, now + UNANSWERED_WAIT_MS);
  if (forgetAt !== undefined && forgetAt <= now) {
    const message = `its agent was unreachable for ${expungeAfterSeconds} s (expungeAfterSeconds)`;
    return [{ type: 'task_updated', taskId: task.id, state: 'TASK_GONE', at: now, message }];
  }
  const again = (at: number): StateEvent => {
    return { type: 'timer_set', at, timer: { kind: 'unreachable', taskId: task.id } };
  };
  const forget = forgetAt === undefined ? [] : [again(forgetAt)];
  if (task.inactive) return forget;
  const giveUpAt = since + inactiveAfterSeconds * 1000;
  if (giveUpAt > now) return [again(giveUpAt), ...forget];
  return [{ type: 'task_given_up', taskId: task.id, at: now }, ...forget];
}

/** True if a task on an agent that is reachable again is not needed any more, usually because it was replaced. */
function isUnwanted(record: AppRecord | undefined, task: Task): boolean {
  if (!record?.active || isEnding(task)) return true;
  if (record.active.mode === 'daemon') return task.inactive === true && record.perAgent.has(task.agentId);
  const done = record.active.mode === 'job' ? record.succeeded : 0;
  return done + record.counted - record.ending + (task.inactive ? 1 : 0) > record.active.instances;
}

/**
 * Delays the launches of an app whose tasks keep ending, longer each time. A task that was running is replaced at once
 * the first time, since its container may have been killed; a launch that the cluster lost is repeated at once a few
 * times. Tasks launched before the last failure was seen belong to the same wave and count once.
 */
function delayRelaunch(
  record: AppRecord | undefined,
  task: Task,
  { state, reason }: TaskStatus,
  now: number,
): StateEvent[] {
  if (!record?.active || isEnding(task)) return [];
  if (record.active.mode === 'job' && state === 'TASK_FINISHED') return [];
  if (isClusterFailure(state, reason)) {
    if (task.runningAt !== undefined || countLosses(record, task) <= IMMEDIATE_RELAUNCHES) return [];
  }
  const ranMs = task.runningAt === undefined ? 0 : now - task.runningAt;
  const last = ranMs >= STABLE_AFTER_MS ? undefined : record.delay;
  if (last && task.launchedAt <= last.failedAt) return [];
  const delayMs = nextDelay(record.active, last?.ms, task.runningAt !== undefined);
  const appId = record.app.id;
  const delayed: StateEvent = { type: 'app_delayed', appId, delayMs, at: now };
  if (delayMs === 0) return [delayed];
  return [delayed, { type: 'timer_set', at: now + delayMs, timer: { kind: 'delay', appId } }];
}

/** @returns the launch delay after `last`, in milliseconds */
export function nextDelay(app: App, last: number | undefined, hadRun: boolean): number {
  const first = app.backoffSeconds * 1000;
  const longest = app.maxLaunchDelaySeconds * 1000;
  if (last === undefined) return hadRun ? 0 : first;
  return last === 0 ? first : Math.min(Math.round(last * app.backoffFactor), longest);
}
