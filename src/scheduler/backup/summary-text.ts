import { count } from '../../text/count.ts';
import type { Summary } from './format.ts';

/** Describes a summary in words, for messages. */
export function summaryText({ apps, groups, tasks, deployments, frameworkId }: Summary): string {
  const parts = [count(apps, 'app'), count(tasks, 'task')];
  if (groups > 0) parts.push(count(groups, 'group'));
  if (deployments > 0) parts.push(count(deployments, 'deployment'));
  const last = parts.pop();
  return `${parts.join(', ')} and ${last} of ${frameworkId === undefined ? 'no framework yet' : `framework ${frameworkId}`}`;
}
