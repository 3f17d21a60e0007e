import type { Action, Deployment } from '../domain/deployment.ts';
import { currentActions } from '../domain/evolve-deployments.ts';
import type { DeploymentRecord } from '../domain/state.ts';

const NAMES: Readonly<Record<Action['type'], string>> = {
  start: 'StartApplication',
  scale: 'ScaleApplication',
  restart: 'RestartApplication',
  stop: 'StopApplication',
};

function actionJson({ type, appId }: Pick<Action, 'appId'> & { type: string }) {
  return { action: NAMES[type as Action['type']], app: appId };
}

export function stepsJson(steps: readonly (readonly { type: string; appId: string }[])[]) {
  return steps.map((actions) => ({ actions: actions.map(actionJson) }));
}

/** A deployment under way, as `GET /v2/deployments` lists it. */
export function deploymentJson(record: DeploymentRecord) {
  const { deployment, step, failures } = record;
  const { id, version, appIds, steps, rollbackOf } = deployment;
  return {
    id,
    version,
    affectedApps: appIds,
    affectedPods: [],
    steps: stepsJson(steps),
    currentActions: currentActions(record).map((action) => ({
      ...actionJson(action),
      readinessCheckResults: [],
    })),
    currentStep: step + 1,
    totalSteps: steps.length,
    failures,
    ...(rollbackOf !== undefined && { rollbackOf }),
  };
}

/** A deployment's plan in events: what it is about, without the apps' definitions, which made Marathon's grow. */
export function planJson({ id, version, appIds, steps, rollbackOf }: Deployment) {
  return {
    id,
    version,
    affectedApps: appIds,
    steps: stepsJson(steps),
    ...(rollbackOf !== undefined && { rollbackOf }),
  };
}
