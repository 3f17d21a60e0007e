import type { OfferConstraints, TaskState } from '../../mesos/types.ts';
import type { AgentFlags, OwnContainerizer } from './agents.ts';
import type { App } from './app.ts';
import type { CheckOutcome } from './check-results.ts';
import type { Deployment, Outcome } from './deployment.ts';
import type { FrameworkIdentity } from './framework-identity.ts';
import type { Group } from './group.ts';
import type { Refusal, Scalars, Stage } from './placement.ts';
import type { Reservation } from './reservation.ts';
import type { TaskFailure } from './state.ts';
import type { Task, TaskAddress } from './task.ts';
import type { Timer } from './timers.ts';

/**
 * Changes that must survive the daemon. They are stored, in order, before any of their consequences leaves. Each type
 * needs a codec in stored-events.ts.
 */
export type StoredEvent =
  /** The release of mesosup that writes the following events. */
  | { readonly type: 'release_changed'; readonly release: string }
  | {
      readonly type: 'framework_registered';
      readonly frameworkId: string;
      /** Present if the framework was taken over from another scheduler. */
      readonly identity?: FrameworkIdentity;
    }
  /** The master has removed the framework, which had no tasks. */
  | { readonly type: 'framework_forgotten' }
  /** A new app or a new definition. It becomes active when its step of a deployment begins. */
  | { readonly type: 'app_changed'; readonly app: App; readonly at: number }
  /** The app is removed, and its tasks are to be killed. */
  | { readonly type: 'app_removed'; readonly appId: string; readonly at: number }
  | { readonly type: 'group_changed'; readonly group: Group }
  | { readonly type: 'group_removed'; readonly groupId: string }
  /** Begins the first step, too. */
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
      /** Present unless the deployment succeeded. */
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
  /** A running task is to be killed, at `until`. From now on it is not an endpoint any more. */
  | {
      readonly type: 'task_draining';
      readonly taskId: string;
      readonly at: number;
      readonly until: number;
    }
  | {
      readonly type: 'task_killed';
      readonly taskId: string;
      readonly at: number;
      /** The failed health check, if that is the reason for the kill. */
      readonly unhealthy?: string;
    }
  /** The agent has been unreachable for so long that the task is replaced. */
  | { readonly type: 'task_given_up'; readonly taskId: string; readonly at: number }
  /** A task of the framework that belongs to no app and must keep running, since the takeover of the framework. */
  | { readonly type: 'task_left'; readonly taskId: string }
  | { readonly type: 'left_task_ended'; readonly taskId: string }
  /** Stored before the ACCEPT that reserves the resources of an instance leaves. */
  | { readonly type: 'instance_reserved'; readonly reservation: Reservation }
  /** Mesos has confirmed an operation, or the reservation is to be removed. */
  | {
      readonly type: 'reservation_changed';
      readonly reservationId: string;
      readonly state: Reservation['state'];
      readonly leaving?: boolean;
      readonly at: number;
    }
  /** Mesos has no resources of the reservation any more. */
  | { readonly type: 'reservation_removed'; readonly reservationId: string; readonly at: number }
  /** The events of a snapshot, with which a compacted journal begins. */
  | { readonly type: 'counters_restored'; readonly runs: number; readonly deployments: number }
  | { readonly type: 'app_restored'; readonly record: RestoredApp }
  | { readonly type: 'deployment_restored'; readonly deployment: Deployment; readonly step: number }
  | { readonly type: 'reservation_restored'; readonly reservation: Reservation }
  | { readonly type: 'task_restored'; readonly task: Task };

/** An app in a snapshot. */
export interface RestoredApp {
  readonly versions: readonly App[];
  readonly run: number;
  readonly changedAt: number;
  readonly launches: number;
  readonly succeeded: number;
  readonly frozen: boolean;
  /** The active one among the versions. */
  readonly active?: App;
  readonly lastFailure?: TaskFailure;
}

/** Who sent a request, and its path. */
export interface Client {
  readonly address: string;
  /** Absent without authentication. */
  readonly user?: string;
  readonly uri: string;
}

/** Changes that need not be stored, since the scheduler learns them again after a restart. */
type VolatileEvent =
  | {
      readonly type: 'connected';
      readonly at: number;
      readonly takesConstraints: boolean;
      /** `host:port` of the master; empty if it does not tell. */
      readonly master: string;
      /** True if the framework is new to the master. */
      readonly registered: boolean;
    }
  /** A request, or the rollback of a deployment, changes apps or groups. The changes follow. */
  | {
      readonly type: 'change_accepted';
      readonly deploymentId: string;
      readonly version: string;
      readonly at: number;
      readonly groupIds: readonly string[];
      /** The changed definitions. */
      readonly apps: readonly App[];
      /** True if nothing is to be deployed: the deployment has ended already. */
      readonly isEmpty: boolean;
      readonly client?: Client;
    }
  | {
      readonly type: 'change_refused';
      readonly at: number;
      readonly groupIds: readonly string[];
      readonly reason: string;
    }
  /** The executor of an app sent a message to its framework. */
  | {
      readonly type: 'framework_message';
      readonly agentId: string;
      readonly executorId: string;
      /** Base64 */
      readonly data: string;
    }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'offers_suppressed' }
  | { readonly type: 'offers_revived' }
  /** Offers must be revived again: a REVIVE was lost. */
  | { readonly type: 'offers_wanted' }
  /** These constraints are in force at the master, or are being sent. */
  | { readonly type: 'offer_constraints_sent'; readonly constraints: OfferConstraints }
  /** The call that sent constraints was lost. */
  | { readonly type: 'offer_constraints_lost' }
  | {
      readonly type: 'offer_constraints_refused';
      readonly constraints: OfferConstraints;
      readonly reason: string;
    }
  /**
   * Delays launches of the app, since its tasks keep failing. `delayMs` 0: no delay now, but the next failure counts.
   */
  | { readonly type: 'app_delayed'; readonly appId: string; readonly delayMs: number; readonly at: number }
  | { readonly type: 'delay_passed'; readonly appId: string; readonly at: number }
  /** A client has ended the launch delay. */
  | { readonly type: 'delay_lifted'; readonly appId: string; readonly at: number }
  /** An agent's offer did not fit the app. */
  | ({
      readonly type: 'offer_refused';
      readonly appId: string;
      readonly agentId: string;
    } & Refusal)
  /** Counts the offers that were tried for an app that is still waiting; moves the app to the end of the order. */
  | {
      readonly type: 'offers_weighed';
      readonly appId: string;
      readonly processed: number;
      readonly refused: ReadonlyMap<Stage, number>;
      readonly used: boolean;
      readonly at: number;
    }
  /** Mesos has refused an operation on the resources of an app. */
  | {
      readonly type: 'operation_refused';
      readonly appId: string;
      readonly host: string;
      readonly message: string;
      readonly at: number;
    }
  /** Mesos has refused to remove a reservation, which is tried again later. */
  | { readonly type: 'removal_postponed'; readonly reservationId: string; readonly until: number }
  /** Offers are needed to remove a reservation, or not, while its agent is unreachable. */
  | { readonly type: 'removal_awaited'; readonly reservationId: string; readonly awaited: boolean }
  /** The flags of an agent are requested at this URL. */
  | { readonly type: 'agent_asked'; readonly agentId: string; readonly url: string; readonly at: number }
  /** The tasks of an agent are to be replaced on other agents, and it gets no new ones; or not any more. */
  | {
      readonly type: 'agent_drain_changed';
      readonly agentId: string;
      readonly drains: boolean;
      readonly at: number;
    }
  /** An agent whose flags can't be read has failed a task for lack of the containerizer. */
  | {
      readonly type: 'agent_failed';
      readonly agentId: string;
      readonly containerizer: OwnContainerizer;
      readonly at: number;
    }
  /** Without flags: they can't be read. */
  | {
      readonly type: 'agent_answered';
      readonly agentId: string;
      readonly flags?: AgentFlags;
      readonly at: number;
    }
  /** An offer had more of a resource than any offer before. */
  | { readonly type: 'larger_offered'; readonly largest: Scalars }
  /** A scheduler began to lead with the tasks of its store. */
  | { readonly type: 'tasks_resumed' }
  | { readonly type: 'tasks_unanswered'; readonly taskIds: readonly string[] }
  /** The result of a check made by the scheduler. */
  | ({ readonly type: 'task_probed'; readonly taskId: string; readonly probe: number } & CheckOutcome)
  /** The result of the checks made by the executor. `uuid` identifies the update. */
  | ({ readonly type: 'task_checked'; readonly taskId: string; readonly uuid: string } & CheckOutcome)
  | { readonly type: 'task_answered'; readonly taskId: string }
  /** The addresses in an update differ from the known ones. */
  | { readonly type: 'task_addressed'; readonly taskId: string; readonly addresses: readonly TaskAddress[] }
  /** All apps, or a deployment, have been settled. */
  | { readonly type: 'apps_settled' }
  | { readonly type: 'deployment_settled'; readonly deploymentId: string }
  | { readonly type: 'timer_set'; readonly at: number; readonly timer: Timer }
  | { readonly type: 'timers_fired'; readonly until: number };

export type StateEvent = StoredEvent | VolatileEvent;
