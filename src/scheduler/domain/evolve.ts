import { canonicalJson } from '../../json.ts';
import { answeredAgent } from './agents.ts';
import { refresh } from './counts.ts';
import type { StateEvent } from './events.ts';
import { changeApp, changeGroup, removeApp, removeGroup, restoreApp } from './evolve-apps.ts';
import { trackConstraints } from './evolve-constraints.ts';
import { endDeployment, restoreDeployment, startDeployment, stepDeployment } from './evolve-deployments.ts';
import {
  addReservation,
  awaitRemoval,
  changeReservation,
  postponeRemoval,
  removeReservation,
} from './evolve-reservations.ts';
import {
  addressTask,
  addTask,
  changeDrain,
  checkTask,
  drainTask,
  giveUpTask,
  killTask,
  probeTask,
  resumeTasks,
  updateTask,
} from './evolve-tasks.ts';
import { MAX_REFUSALS } from './placement.ts';
import type { AppRecord, State } from './state.ts';
import { popTimers, pushTimer } from './timers.ts';

/** Applies one event to the state, in place. The cost does not grow with the number of apps or tasks. */
export function evolve(state: State, event: StateEvent): void {
  switch (event.type) {
    case 'release_changed':
      state.release = event.release;
      return;
    case 'framework_registered':
      state.frameworkId = event.frameworkId;
      if (event.identity) state.identity = event.identity;
      else delete state.identity;
      return;
    case 'framework_forgotten':
      delete state.frameworkId;
      delete state.identity;
      state.leftTasks.clear();
      return;
    case 'task_left':
      state.leftTasks.add(event.taskId);
      return;
    case 'left_task_ended':
      state.leftTasks.delete(event.taskId);
      return;
    case 'counters_restored':
      state.runs = event.runs;
      state.deploymentCount = event.deployments;
      return;
    case 'app_changed':
      changeApp(state, event.app, event.at);
      return;
    case 'app_removed':
      removeApp(state, event.appId, event.at);
      return;
    case 'app_restored':
      restoreApp(state, event.record);
      return;
    case 'group_changed':
      changeGroup(state, event.group);
      return;
    case 'group_removed':
      removeGroup(state, event.groupId);
      return;
    case 'deployment_started':
      startDeployment(state, event.deployment);
      return;
    case 'deployment_restored':
      restoreDeployment(state, event.deployment, event.step);
      return;
    case 'deployment_stepped':
      stepDeployment(state, event.deploymentId, event.step, event.at);
      return;
    case 'deployment_ended':
      endDeployment(state, event.deploymentId, event.outcome, event.at);
      return;
    case 'instance_reserved':
    case 'reservation_restored':
      addReservation(state, { ...event.reservation });
      return;
    case 'reservation_changed':
      changeReservation(state, event);
      return;
    case 'reservation_removed':
      removeReservation(state, event.reservationId, event.at);
      return;
    case 'removal_postponed':
      postponeRemoval(state, event);
      return;
    case 'removal_awaited':
      awaitRemoval(state, event.reservationId, event.awaited);
      return;
    case 'operation_refused': {
      const record = state.apps.get(event.appId);
      const { host, message, at } = event;
      if (record) record.refusedOperation = { host, message, at };
      return;
    }
    case 'task_launched':
    case 'task_restored':
      addTask(state, { ...event.task }, event.type === 'task_launched');
      return;
    case 'task_updated':
      updateTask(state, event);
      return;
    case 'task_draining':
      drainTask(state, event);
      return;
    case 'task_killed':
      killTask(state, event);
      return;
    case 'task_given_up':
      giveUpTask(state, event.taskId, event.at);
      return;
    case 'task_probed':
      probeTask(state, event);
      return;
    case 'connected':
      state.connected = true;
      state.connection += 1;
      if (event.master !== '') state.master = event.master;
      trackConstraints(state, event);
      state.offersWanted = state.ready.size > 0 || state.leaving.size > 0;
      // No deployment could progress without a connection.
      for (const one of state.deployments.values()) one.progressedAt = Math.max(one.progressedAt, event.at);
      return;
    case 'disconnected':
      trackConstraints(state, event);
      state.connected = false;
      delete state.master;
      state.disconnectedBecause = event.reason;
      state.unanswered.clear();
      state.agents.clear();
      return;
    case 'offers_suppressed':
      state.suppressed = true;
      return;
    case 'offers_revived':
      state.suppressed = false;
      state.offersWanted = false;
      return;
    case 'offer_constraints_sent':
    case 'offer_constraints_lost':
    case 'offer_constraints_refused':
      trackConstraints(state, event);
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
    case 'delay_lifted':
      liftDelay(state, state.apps.get(event.appId), event.at);
      return;
    case 'offer_refused':
      recordRefusal(state.apps.get(event.appId), event);
      return;
    case 'offers_weighed':
      countOffers(state, event);
      return;
    case 'agent_asked':
      state.agents.set(event.agentId, {
        answered: false,
        ...state.agents.get(event.agentId),
        askedAt: event.at,
      });
      return;
    case 'agent_failed': {
      const agent = state.agents.get(event.agentId);
      const { containerizer, at } = event;
      if (agent) state.agents.set(event.agentId, { ...agent, failed: { containerizer, at } });
      return;
    }
    case 'agent_drain_changed':
      changeDrain(state, event);
      return;
    case 'agent_answered':
      recordFlags(state, event);
      return;
    case 'larger_offered':
      state.largestOffer = event.largest;
      return;
    case 'tasks_resumed':
      resumeTasks(state);
      return;
    case 'tasks_unanswered':
      for (const id of event.taskIds) state.unanswered.add(id);
      return;
    case 'task_answered':
      state.unanswered.delete(event.taskId);
      return;
    case 'task_addressed':
      addressTask(state, event.taskId, event.addresses);
      return;
    case 'task_checked':
      checkTask(state, event);
      return;
    case 'apps_settled':
      state.unsettledApps.clear();
      return;
    case 'deployment_settled':
      state.unsettledDeployments.delete(event.deploymentId);
      return;
    case 'change_accepted':
      for (const { id, version } of event.apps) {
        const user = event.client?.user;
        if (user === undefined) state.changedBy.delete(id);
        else state.changedBy.set(id, { user, version });
      }
      return;
    // Only listeners need to know.
    case 'change_refused':
    case 'framework_message':
      return;
    case 'timer_set':
      pushTimer(state.timers, event);
      return;
    case 'timers_fired':
      popTimers(state.timers, event.until);
      return;
  }
}

function delayApp(state: State, appId: string, ms: number, at: number): void {
  const record = state.apps.get(appId);
  if (!record) return;
  record.delay = { ms, until: at + ms, failedAt: at };
  refresh(state, record, at);
}

function liftDelay(state: State, record: AppRecord | undefined, at: number): void {
  delete record?.delay;
  refresh(state, record, at);
}

function recordRefusal(
  record: AppRecord | undefined,
  { agentId, host, reason, checks, offer, at }: Extract<StateEvent, { type: 'offer_refused' }>,
): void {
  if (!record) return;
  if (record.refusals.size >= MAX_REFUSALS && !record.refusals.has(agentId)) return;
  record.refusals.set(agentId, { host, reason, checks, offer, at });
}

function recordFlags(
  state: State,
  { agentId, flags, at }: Extract<StateEvent, { type: 'agent_answered' }>,
): void {
  const known = state.agents.get(agentId);
  const agent = answeredAgent(known, flags, at);
  const isNews = canonicalJson({ ...agent }) !== canonicalJson({ ...known });
  state.agents.set(agentId, agent);
  // The offers of the agent were declined because of its flags.
  if (isNews && state.ready.size > 0) state.offersWanted = true;
}

function countOffers(state: State, event: Extract<StateEvent, { type: 'offers_weighed' }>): void {
  const { appId, processed, refused, used, at } = event;
  const record = state.apps.get(appId);
  if (!record || !state.ready.delete(appId)) return;
  state.ready.add(appId);
  // The app has seen its first offers: from now on its constraints may be sent to the master.
  if (!record.offerCounts) state.demandChanged = true;
  record.offerCounts ??= { processed: 0, refused: new Map() };
  const counts = record.offerCounts;
  counts.processed += processed;
  for (const [stage, times] of refused) counts.refused.set(stage, (counts.refused.get(stage) ?? 0) + times);
  if (used) counts.lastUsedAt = at;
  if (refused.size > 0) counts.lastUnusedAt = at;
}
