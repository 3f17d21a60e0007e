import type { App } from '../../domain/app.ts';
import type { StateEvent } from '../../domain/events.ts';
import type { State } from '../../domain/state.ts';
import type { Call, Decision } from '../inputs.ts';
import { failDeployment } from '../settle.ts';
import { deadlineOf } from './change.ts';

/** Stops a deployment where it is; its apps stay partly rolled out until the next change. */
export function cancelDeployment(state: State, deploymentId: string, now: number): Decision {
  if (!state.deployments.has(deploymentId)) {
    return { events: [], calls: [], reply: { type: 'unknown_deployment', deploymentId } };
  }
  const reason = 'it was cancelled';
  return {
    events: [{ type: 'deployment_ended', deploymentId, outcome: 'cancelled', at: now, reason }],
    calls: [],
    reply: { type: 'done' },
  };
}

/** Fails a deployment that made no progress until its deadline; sets the timer again if it made progress. */
export function checkDeadline(
  state: State,
  deploymentId: string,
  now: number,
): { events: StateEvent[]; calls: Call[] } {
  const record = state.deployments.get(deploymentId);
  const seconds = record && deadlineOf(appsOf(state, record.deployment.appIds));
  if (!record || seconds === undefined) return { events: [], calls: [] };
  // Without a connection to the master no deployment can progress, so the deadline does not count.
  const due = (state.connected ? record.progressedAt : now) + seconds * 1000;
  if (now < due) {
    return { events: [{ type: 'timer_set', at: due, timer: { kind: 'deadline', deploymentId } }], calls: [] };
  }
  const failed = failDeployment(state, record, `no progress for ${seconds} s`, now);
  return { events: [...failed.events], calls: [...failed.calls] };
}

/** Sets the deadlines of all running deployments again, after a new connection. */
export function setDeadlines(state: State, now: number): StateEvent[] {
  return [...state.deployments.values()].flatMap(({ deployment }): StateEvent[] => {
    const seconds = deadlineOf(appsOf(state, deployment.appIds));
    if (seconds === undefined) return [];
    const timer = { kind: 'deadline', deploymentId: deployment.id } as const;
    return [{ type: 'timer_set', at: now + seconds * 1000, timer }];
  });
}

function appsOf(state: State, appIds: readonly string[]): App[] {
  return appIds.flatMap((id) => state.apps.get(id)?.app ?? []);
}
