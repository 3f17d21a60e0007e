/** Texts that describe a takeover. */

import { count } from '../../text/count.ts';
import type { LeftOut, TakeoverPlan } from './plan.ts';

/** Task ids shown for each app; a report of hundreds of tasks would hide the rest. */
const MAX_TASKS = 5;

export function describeTakeover({ framework, apps, waiting }: TakeoverPlan): string[] {
  const { id, name, user, principal, role, checkpoint, failoverTimeoutSeconds } = framework;
  const tasks = apps.reduce((sum, app) => sum + app.tasks, 0);
  return [
    `Framework ${id} (${name}): user ${user}, role ${role}, ${principal === undefined ? 'no principal' : `principal ${principal}`}, ${checkpoint ? 'checkpointing' : 'no checkpointing'}, failover_timeout ${failoverTimeoutSeconds} s`,
    ...apps.map((app) => `  ${app.id}: ${count(app.tasks, 'task')} of ${count(app.instances, 'instance')}`),
    ...waiting.map(({ appId, count: missing }) => `  ${appId}: ${count(missing, 'instance')} to launch`),
    `${count(apps.length, 'app')} with ${count(tasks, 'task')} can be taken over; no task restarts.`,
  ];
}

export function describeLeftOut(leftOut: readonly LeftOut[]): string[] {
  return leftOut.map(({ id, why, taskIds }) => {
    const shown = taskIds.slice(0, MAX_TASKS).join(', ');
    const more = taskIds.length > MAX_TASKS ? ` and ${taskIds.length - MAX_TASKS} more` : '';
    return `  ${id}: ${why}; ${taskIds.length === 0 ? 'no running tasks' : `running: ${shown}${more}`}`;
  });
}
