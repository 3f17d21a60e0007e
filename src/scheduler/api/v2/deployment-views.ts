import type { Action, Deployment } from '../../domain/deployment.ts';
import { currentActions } from '../../domain/evolve-deployments.ts';
import type { DeploymentRecord, State } from '../../domain/state.ts';
import type { ReadinessResultJson } from './app-schemas.ts';
import { readinessResults } from './check-views.ts';
import type { ActionJson, DeploymentJson, SingleDeploymentJson, StepsJson } from './deployment-schemas.ts';
import type { PlanJson } from './event-schemas.ts';

const NAMES: Readonly<Record<Action['type'], ActionJson['action']>> = {
  start: 'StartApplication',
  scale: 'ScaleApplication',
  restart: 'RestartApplication',
  stop: 'StopApplication',
};

export function actionJson({ type, appId }: Pick<Action, 'appId'> & { type: string }): ActionJson {
  return { action: NAMES[type as Action['type']], app: appId };
}

export function stepsJson(steps: readonly (readonly { type: string; appId: string }[])[]): StepsJson {
  return steps.map((actions) => ({ actions: actions.map(actionJson) }));
}

/** Formats a running deployment for `GET /v2/deployments`. */
export function deploymentJson(state: State, record: DeploymentRecord): DeploymentJson {
  const { deployment, step } = record;
  const { id, version, appIds, steps } = deployment;
  return {
    id,
    version,
    affectedApps: appIds,
    affectedPods: [],
    steps: stepsJson(steps),
    currentActions: currentActions(record).map((action) => ({
      ...actionJson(action),
      readinessCheckResults: readinessOf(state, action),
    })),
    currentStep: step + 1,
    totalSteps: steps.length,
  };
}

function readinessOf({ apps }: State, { type, appId }: Action): readonly ReadinessResultJson[] {
  const record = apps.get(appId);
  return record && type !== 'stop' ? readinessResults(record) : [];
}

/** Adds fields that Marathon doesn't have. In the list, clients such as python3-marathon would fail on them. */
export function singleDeploymentJson(state: State, record: DeploymentRecord): SingleDeploymentJson {
  const { deployment, failures } = record;
  const { rollbackOf } = deployment;
  return { ...deploymentJson(state, record), failures, ...(rollbackOf !== undefined && { rollbackOf }) };
}

/**
 * Formats a deployment's plan for events. It contains only ids and versions of the apps before and after: the
 * definitions of the complete root group made Marathon's events grow to megabytes.
 */
export function planJson({ id, version, startedAt, steps, before }: Omit<Deployment, 'appIds'>): PlanJson {
  const stopped = new Set(
    steps.flatMap((actions) => actions.flatMap(({ type, appId }) => (type === 'stop' ? appId : []))),
  );
  const original = before.apps.flatMap(({ id: appId, app }) =>
    app ? { id: appId, version: app.version } : [],
  );
  const target = before.apps.flatMap(({ id: appId }) => (stopped.has(appId) ? [] : { id: appId, version }));
  return {
    id,
    version,
    original: rootOf(original, new Date(startedAt).toISOString()),
    target: rootOf(target, version),
    steps: stepsJson(steps),
  };
}

/** Builds a root group that contains only the apps of a deployment. */
function rootOf(apps: readonly { id: string; version: string }[], version: string) {
  return { id: '/', version, apps, groups: [], dependencies: [], pods: [] };
}
