/** Definitions of apps: what of an answer is the definition, and what a form shows of it (pure). */

/** Fields of answers that are no part of the definition. */
const ANSWERED: ReadonlySet<string> = new Set([
  ...['version', 'versionInfo', 'deployments', 'tasks', 'tasksStaged', 'tasksRunning', 'tasksHealthy'],
  ...['tasksUnhealthy', 'readinessCheckResults', 'lastTaskFailure', 'taskStats', 'warnings'],
]);

export function isVolatile(field: string): boolean {
  return ANSWERED.has(field);
}
