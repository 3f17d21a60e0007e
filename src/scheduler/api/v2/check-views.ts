/** Views of the results of tasks' checks. */

import type { App } from '../../domain/app.ts';
import type { CheckResults } from '../../domain/check-results.ts';
import { isOnAgent } from '../../domain/checks.ts';
import { type AppRecord, launchedApp } from '../../domain/state.ts';
import { instanceIdOf, type Task } from '../../domain/task.ts';
import type { HealthResultJson, ReadinessResultJson } from './app-schemas.ts';

/** @returns one entry for each health check with a result */
export function healthResults(record: Pick<AppRecord, 'app' | 'versions'>, task: Task): HealthResultJson[] {
  if (!task.checked && !task.probes) return [];
  let probe = 0;
  return launchedApp(record, task).healthChecks.flatMap((check) => {
    const results = isOnAgent(check) ? resultsOfAgent(task) : resultsOfProbe(task, probe++);
    return results ? [resultJson(task, results)] : [];
  });
}

/** @returns undefined without health checks, and before the first results; readiness does not count */
export function healthOf(record: Pick<AppRecord, 'app' | 'versions'>, task: Task): boolean | undefined {
  const results = healthResults(record, task);
  if (results.some(({ alive }) => !alive)) return false;
  const isComplete = results.length > 0 && results.length === launchedApp(record, task).healthChecks.length;
  return isComplete ? true : undefined;
}

/** @returns the results of the readiness checks of the tasks that run the newest definition */
export function readinessResults({ app, tasks }: Pick<AppRecord, 'app' | 'tasks'>): ReadinessResultJson[] {
  return [...tasks.values()]
    .filter(({ configVersion, state }) => configVersion === app.configVersion && state === 'TASK_RUNNING')
    .flatMap((task) => app.readinessChecks.flatMap((check, i) => readinessResult(app, task, check, i)));
}

function readinessResult(
  { healthChecks }: App,
  task: Task,
  { name, preserveLastResponse }: App['readinessChecks'][number],
  i: number,
): ReadinessResultJson[] {
  const results = task.probed?.[healthChecks.filter((check) => !isOnAgent(check)).length + i];
  if (!results) return [];
  const { healthy: ready, response } = results;
  const lastResponse = preserveLastResponse && response ? { lastResponse: response } : {};
  return [{ name, taskId: task.id, ready, ...lastResponse }];
}

/** The executor reports one result for all of its checks. After a restart of the scheduler only the result is known. */
function resultsOfAgent({ healthy, agentResults }: Task): CheckResults | undefined {
  if (agentResults?.healthy === healthy) return agentResults;
  return healthy === undefined ? undefined : { healthy, consecutiveFailures: healthy ? 0 : 1 };
}

function resultsOfProbe({ probed, passedBefore }: Task, probe: number): CheckResults | undefined {
  return probed?.[probe] ?? (passedBefore ? { healthy: true, consecutiveFailures: 0 } : undefined);
}

function resultJson({ id }: Task, results: CheckResults): HealthResultJson {
  const { healthy, consecutiveFailures, firstSuccess, lastSuccess, lastFailure, lastFailureCause } = results;
  return {
    alive: healthy,
    consecutiveFailures,
    ...(firstSuccess !== undefined && { firstSuccess: isoOf(firstSuccess) }),
    ...(lastSuccess !== undefined && { lastSuccess: isoOf(lastSuccess) }),
    ...(lastFailure !== undefined && { lastFailure: isoOf(lastFailure) }),
    ...(lastFailureCause !== undefined && { lastFailureCause }),
    instanceId: instanceIdOf(id),
    taskId: id,
  };
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
