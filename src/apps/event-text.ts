/** Describes an event of the scheduler in a line. */

import { isJson, type Json } from '../json.ts';
import { printable } from '../text/printable.ts';

/** Fields that say what an event is about, in this order. */
const SHOWN = [
  ...['appId', 'runSpecId', 'groupId', 'taskId', 'instanceId', 'taskStatus', 'condition', 'host', 'alive'],
  ...['healthy', 'reason', 'message', 'id', 'uri', 'remoteAddress', 'frameworkId'],
];

/** The time, the type, and the fields that say what it is about. */
export function eventText(event: Json): string {
  const { timestamp, eventType } = event;
  const shown = SHOWN.flatMap((name) => {
    const value = event[name];
    return value === undefined || value === '' || isJson(value) ? [] : [`${name}=${value}`];
  });
  const plan = isJson(event.plan) ? appsOfPlan(event.plan) : [];
  const apps = plan.length > 0 ? [`apps=${plan.join(',')}`] : [];
  const time = String(timestamp).replace(/^.*T(.*)Z$/, '$1');
  return printable([time, eventType, ...shown, ...apps].join('  '));
}

/** The apps that an event is about. */
export function appsOfEvent(event: Json): string[] {
  const { appId, runSpecId, plan } = event;
  return [appId, runSpecId]
    .filter((id) => typeof id === 'string')
    .concat(isJson(plan) ? appsOfPlan(plan) : []);
}

function appsOfPlan({ steps }: Json): string[] {
  if (!Array.isArray(steps)) return [];
  const actions = steps.filter(isJson).flatMap((step) => (Array.isArray(step.actions) ? step.actions : []));
  return [...new Set(actions.filter(isJson).map(({ app }) => String(app)))];
}
