import type { Summary } from './format.ts';

/** What there is, for people. */
export function inWords({ apps, groups, tasks, deployments, frameworkId }: Summary): string {
  const parts = [some(apps, 'app'), some(tasks, 'task')];
  if (groups > 0) parts.push(some(groups, 'group'));
  if (deployments > 0) parts.push(some(deployments, 'deployment'));
  const last = parts.pop();
  return `${parts.join(', ')} and ${last} of ${frameworkId === undefined ? 'no framework yet' : `framework ${frameworkId}`}`;
}

function some(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
