import type { OfferConstraints, TaskState } from '../../mesos/types.ts';
import type { App } from './app.ts';
import type { Deployment, Outcome } from './deployment.ts';
import type { Group } from './group.ts';
import type { Refusal, Scalars, Stage } from './placement.ts';
import type { TaskFailure } from './state.ts';
import type { Task } from './task.ts';
import type { Timer } from './timers.ts';

/**
 * Changes that must outlive the daemon. They are stored, in order, before anything that follows from them. Each needs
 * its codec in stored-events.ts.
 */
export type StoredEvent =
  /** From here on this release of mesosup writes. */
  | { readonly type: 'release_changed'; readonly release: string }
  | { readonly type: 'framework_registered'; readonly frameworkId: string }
  /** The master has removed the framework, and there was nothing to lose with it. */
  | { readonly type: 'framework_forgotten' }
  /** A new app, or a new definition of one. It is run from when its step of a deployment begins. */
  | { readonly type: 'app_changed'; readonly app: App; readonly at: number }
  /** Its tasks are asked to end from here on. */
  | { readonly type: 'app_removed'; readonly appId: string; readonly at: number }
  | { readonly type: 'group_changed'; readonly group: Group }
  | { readonly type: 'group_removed'; readonly groupId: string }
  /** Its first step begins with it. */
  | { readonly type: 'deployment_started'; readonly deployment: Deployment }
  | {
      readonly type: 'deployment_stepped';
      readonly deploymentId: string;
      readonly step: number;
      readonly at: number;
    }
  | {
      readonly type: 'deployment_ended';
      readonly deploymentId: string;
      readonly outcome: Outcome;
      readonly at: number;
      /** Why it did not succeed. */
      readonly reason?: string;
    }
  /** Stored before the ACCEPT that carries the task leaves. */
  | { readonly type: 'task_launched'; readonly task: Task }
  | {
      readonly type: 'task_updated';
      readonly taskId: string;
      readonly state: TaskState;
      readonly at: number;
      readonly healthy?: boolean;
      readonly reason?: string;
      readonly message?: string;
    }
  | {
      readonly type: 'task_killed';
      readonly taskId: string;
      readonly at: number;
      /** It is ended because it is not well: why. */
      readonly unhealthy?: string;
    }
  /** Its agent has been out of reach for so long that another takes its place. */
  | { readonly type: 'task_given_up'; readonly taskId: string; readonly at: number }
  /** Those of a snapshot: what a compacted journal begins with. */
  | { readonly type: 'counters_restored'; readonly runs: number; readonly deployments: number }
  | { readonly type: 'app_restored'; readonly record: RestoredApp }
  | { readonly type: 'deployment_restored'; readonly deployment: Deployment; readonly step: number }
  | { readonly type: 'task_restored'; readonly task: Task };

/** What a snapshot holds of an app. */
export interface RestoredApp {
  readonly versions: readonly App[];
  readonly run: number;
  readonly changedAt: number;
  readonly launches: number;
  readonly succeeded: number;
  readonly frozen: boolean;
  /** Of the one among the versions that is run. */
  readonly active?: App;
  readonly lastFailure?: TaskFailure;
}

/** Changes that are learned anew after a restart. */
type VolatileEvent =
  | { readonly type: 'connected'; readonly at: number; readonly takesConstraints: boolean }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'offers_suppressed' }
  | { readonly type: 'offers_revived' }
  /** Offers must be asked for again: a call that did so was lost. */
  | { readonly type: 'offers_wanted' }
  /** The master is told of these, or has been. */
  | { readonly type: 'offer_constraints_sent'; readonly constraints: OfferConstraints }
  /** A call that told it was lost. */
  | { readonly type: 'offer_constraints_lost' }
  | {
      readonly type: 'offer_constraints_refused';
      readonly constraints: OfferConstraints;
      readonly reason: string;
    }
  /** No launches of the app until then, since its tasks keep failing. `delayMs` 0: at once, but not next time. */
  | { readonly type: 'app_delayed'; readonly appId: string; readonly delayMs: number; readonly at: number }
  | { readonly type: 'delay_passed'; readonly appId: string; readonly at: number }
  /** Somebody said that the app may launch again, as if nothing had been. */
  | { readonly type: 'delay_lifted'; readonly appId: string; readonly at: number }
  /** An agent's offer did not do for the app. */
  | ({
      readonly type: 'offer_refused';
      readonly appId: string;
      readonly agentId: string;
    } & Refusal)
  /** How many offers were looked at for an app that still waits; it comes after the others next time. */
  | {
      readonly type: 'offers_weighed';
      readonly appId: string;
      readonly processed: number;
      readonly refused: ReadonlyMap<Stage, number>;
      readonly used: boolean;
      readonly at: number;
    }
  /** An offer had more of something than any before. */
  | { readonly type: 'larger_offered'; readonly largest: Scalars }
  | { readonly type: 'tasks_unanswered'; readonly taskIds: readonly string[] }
  /** What a check that is done from here found. */
  | {
      readonly type: 'task_probed';
      readonly taskId: string;
      readonly probe: number;
      readonly healthy: boolean;
      readonly at: number;
    }
  | { readonly type: 'task_answered'; readonly taskId: string }
  /** What had changed of all apps, and of a deployment, has been seen to. */
  | { readonly type: 'apps_settled' }
  | { readonly type: 'deployment_settled'; readonly deploymentId: string }
  | { readonly type: 'timer_set'; readonly at: number; readonly timer: Timer }
  | { readonly type: 'timers_fired'; readonly until: number };

export type StateEvent = StoredEvent | VolatileEvent;
