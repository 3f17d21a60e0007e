/**
 * Derives what follows from a changed state, independent of the cause: kills excess instances, advances deployments,
 * and revives or suppresses offers.
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

/** Called repeatedly, after its events are applied, until it returns no more events. */
export function settle(state: State, now: number): Settled {
  if (state.unsettledApps.size > 0) return endExcess(state, now);
  // One at a time, since a failed deployment starts another.
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
  // Computed on demand: a deployment may have thousands of apps, and gets here with each update of their tasks.
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
 * Ends a failed deployment and rolls it back, with the same rules for the number of ready instances. A rollback is not
 * rolled back itself, and neither is the first start of an app, which has no earlier version.
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

/** Plans the rollback of a deployment, which must have ended when the events are applied. */
export function rollBack(state: State, deploymentId: string, now: number): Decision {
  const changes = [{ op: 'roll_back', deploymentId } as const];
  return planChange(state, { type: 'change', changes, force: true, seed: 0 }, now, deploymentId);
}

/** Revives offers when demand has grown, and suppresses them when there is none. */
function updateOfferDemand(state: State): Settled {
  if (!state.connected) return NOTHING;
  const roles = [state.settings.role];
  if (state.ready.size > 0 || state.leaving.size > 0) {
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

/** Sends the offer constraints to the master. `widened`: offers that were declined before may be useful now. */
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
