import { activate, refresh } from './counts.ts';
import type { Action, Deployment, Outcome } from './deployment.ts';
import type { DeploymentRecord, State } from './state.ts';

export function startDeployment(state: State, deployment: Deployment): void {
  state.deploymentCount += 1;
  const record = addDeployment(state, deployment, 0);
  beginStep(state, record, deployment.startedAt);
}

export function restoreDeployment(state: State, deployment: Deployment, step: number): void {
  addDeployment(state, deployment, step);
}

function addDeployment(state: State, deployment: Deployment, step: number): DeploymentRecord {
  const record: DeploymentRecord = { deployment, step, progressedAt: deployment.startedAt, failures: 0 };
  state.deployments.set(deployment.id, record);
  state.unsettledDeployments.add(deployment.id);
  for (const id of deployment.appIds) {
    const app = state.apps.get(id);
    if (!app) continue;
    app.deploymentId = deployment.id;
    app.frozen = false;
    refresh(state, app, deployment.startedAt);
  }
  return record;
}

export function stepDeployment(state: State, id: string, step: number, at: number): void {
  const record = state.deployments.get(id);
  if (!record) return;
  record.step = step;
  record.progressedAt = at;
  beginStep(state, record, at);
}

/** Activates the new definitions of the apps in the current step. */
function beginStep(state: State, record: DeploymentRecord, at: number): void {
  state.unsettledDeployments.add(record.deployment.id);
  for (const { appId, type } of record.deployment.steps[record.step] ?? []) {
    const app = state.apps.get(appId);
    if (!app || type === 'stop') continue;
    if (app.active?.configVersion !== app.app.configVersion) {
      app.succeeded = 0;
      // Failures of another configuration say nothing about this one.
      delete app.delay;
      delete app.losses;
      // Neither do refused offers.
      app.refusals.clear();
      delete app.offerCounts;
      state.ready.delete(appId);
    }
    activate(app, app.app);
    state.demandChanged = true;
    refresh(state, app, at);
  }
}

export function endDeployment(state: State, id: string, outcome: Outcome, at: number): void {
  const record = state.deployments.get(id);
  if (!record) return;
  state.deployments.delete(id);
  state.unsettledDeployments.delete(id);
  for (const appId of record.deployment.appIds) {
    const app = state.apps.get(appId);
    if (app?.deploymentId !== id) continue;
    delete app.deploymentId;
    if (outcome === 'cancelled') app.frozen = true;
    // Activates apps whose step has not begun, since the API shows these definitions.
    if (app.active !== app.app) {
      activate(app, app.app);
      state.demandChanged = true;
    }
    refresh(state, app, at);
  }
}

/** @returns the actions of the current step */
export function currentActions({
  deployment,
  step,
}: Pick<DeploymentRecord, 'deployment' | 'step'>): readonly Action[] {
  return deployment.steps[step] ?? [];
}
