/**
 * What follows from a state in which something has changed, whatever that was: instances that are too many are ended,
 * deployments get further, and offers are asked for or not.
 */

import type { StateEvent } from '../domain/events.ts';
import { currentActions } from '../domain/evolve-deployments.ts';
import { isRolledOut, selectExcess } from '../domain/rollout.ts';
import { type DeploymentRecord, orphansKey, type State } from '../domain/state.ts';
import { planChange } from './deployments/change.ts';
import type { Call, Decision } from './inputs.ts';
import { isNarrower, isSame, NO_CONSTRAINTS, offerConstraintsOf } from './placement/offer-filter.ts';
import { endTasks } from './tasks/ending.ts';

type Settled = Pick<Decision, 'events' | 'calls'>;

const NOTHING: Settled = { events: [], calls: [] };

/** Called again, once its events are applied, until nothing follows any more. */
export function settle(state: State, now: number): Settled {
  if (state.unsettledApps.size > 0) return endExcess(state, now);
  // One at a time, since one that fails leads to another.
  const [deploymentId] = state.unsettledDeployments;
  if (deploymentId === undefined) return updateOfferDemand(state);
  const record = state.deployments.get(deploymentId);
  const next = record ? advance(state, record, now) : NOTHING;
  return { events: [{ type: 'deployment_settled', deploymentId }, ...next.events], calls: next.calls };
}

function endExcess(state: State, now: number): Settled {
  const events: StateEvent[] = [{ type: 'apps_settled' }];
  const calls: Call[] = [];
  for (const appId of state.unsettledApps) {
    const record = state.apps.get(appId);
    const ended = record ? endTasks(state, selectExcess(record), now) : NOTHING;
    events.push(...ended.events);
    calls.push(...ended.calls);
  }
  return { events, calls };
}

function advance(state: State, record: DeploymentRecord, now: number): Settled {
  const { deployment, step, failures } = record;
  // Only then: a deployment may be of thousands of apps, and gets here with each update of their tasks.
  const limit = failures > 0 ? failureLimit(state, record) : undefined;
  if (limit !== undefined && failures > limit) {
    return failDeployment(state, record, `${failures} tasks failed, more than maxFailures (${limit})`, now);
  }
  const isDone = currentActions(record).every(({ type, appId, run }) => {
    if (type === 'stop') return !state.orphans.has(orphansKey({ appId, run: run ?? 0 }));
    const app = state.apps.get(appId);
    return !app || isRolledOut(app);
  });
  if (!isDone) return NOTHING;
  const { id: deploymentId } = deployment;
  if (step + 1 < deployment.steps.length) {
    return { events: [{ type: 'deployment_stepped', deploymentId, step: step + 1, at: now }], calls: [] };
  }
  return { events: [{ type: 'deployment_ended', deploymentId, outcome: 'success', at: now }], calls: [] };
}

function failureLimit(state: State, { deployment }: DeploymentRecord): number | undefined {
  const limits = deployment.appIds.flatMap((id) => state.apps.get(id)?.app.maxFailures ?? []);
  return limits.length > 0 ? Math.min(...limits) : undefined;
}

/**
 * Ends a deployment that can't succeed, and changes back what it changed, by the same rules of how many instances must
 * be of use. What is itself a rollback is not undone, nor is the first start of an app: there is nothing to go back to.
 */
export function failDeployment(state: State, record: DeploymentRecord, reason: string, now: number): Settled {
  const { deployment } = record;
  const { id: deploymentId } = deployment;
  const ended: StateEvent = { type: 'deployment_ended', deploymentId, outcome: 'failed', at: now, reason };
  const canGoBack = deployment.rollbackOf === undefined && deployment.before.apps.some(({ app }) => app);
  if (!canGoBack) return { events: [ended], calls: [] };
  const back = rollBack(state, deploymentId, now);
  return { events: [ended, ...back.events], calls: back.calls };
}

/** The deployment that undoes another; that one must have ended by the time its events are applied. */
export function rollBack(state: State, deploymentId: string, now: number): Decision {
  const changes = [{ op: 'roll_back', deploymentId } as const];
  return planChange(state, { type: 'change', changes, force: true, seed: 0 }, now, deploymentId);
}

/** Offers are asked for when demand has grown, and no longer wanted when none is left. */
function updateOfferDemand(state: State): Settled {
  if (!state.connected) return NOTHING;
  const roles = [state.settings.role];
  if (state.ready.size > 0) {
    const update = updateOfferConstraints(state);
    if (!state.offersWanted && !state.suppressed && !update.widened) return update;
    return {
      events: [...update.events, { type: 'offers_revived' }],
      calls: [...update.calls, { type: 'REVIVE', revive: { roles } }],
    };
  }
  if (state.suppressed) return NOTHING;
  return { events: [{ type: 'offers_suppressed' }], calls: [{ type: 'SUPPRESS', suppress: { roles } }] };
}

/** The master is told which offers are of use. Where more are than before, some of them may have been declined. */
function updateOfferConstraints(state: State): Settled & { readonly widened: boolean } {
  const { settings, frameworkId, suppressed, demandChanged } = state;
  const { sending, sent } = state.constraints;
  if (sending === 'nothing' || !demandChanged) return { ...NOTHING, widened: false };
  const constraints = sending === 'all' ? offerConstraintsOf(state) : NO_CONSTRAINTS;
  const events: StateEvent[] = [{ type: 'offer_constraints_sent', constraints }];
  if (sent && isSame(constraints, sent)) return { events, calls: [], widened: false };
  const call: Call = {
    type: 'UPDATE_FRAMEWORK',
    update_framework: {
      framework_info: {
        ...settings.framework,
        ...(frameworkId !== undefined && { id: { value: frameworkId } }),
      },
      suppressed_roles: suppressed ? [settings.role] : [],
      offer_constraints: constraints,
    },
  };
  return { events, calls: [call], widened: !sent || !isNarrower(constraints, sent, settings.role) };
}
