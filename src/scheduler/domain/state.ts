/**
 * The complete state of the scheduler. Only `evolve` changes it, in place. In addition to the stored facts it holds
 * indexes over them (counts, sets) and facts that the scheduler learns again with each connection.
 */

import type { OfferConstraints, TaskState } from '../../mesos/types.ts';
import type { KnownAgent } from './agents.ts';
import type { App } from './app.ts';
import type { Deployment } from './deployment.ts';
import type { FrameworkIdentity } from './framework-identity.ts';
import type { Group } from './group.ts';
import type { OfferCounts, Refusal, Scalars } from './placement.ts';
import type { Reservation } from './reservation.ts';
import type { Settings } from './settings.ts';
import type { Task } from './task.ts';
import type { Timers } from './timers.ts';

export interface TaskFailure {
  readonly taskId: string;
  readonly host: string;
  readonly agentId: string;
  readonly version: string;
  readonly state: TaskState;
  readonly message: string;
  readonly at: number;
}

export interface AppRecord {
  /** The last accepted definition. */
  app: App;
  /** The definition that runs; differs from `app` until the app's step of a deployment begins. */
  active?: App;
  /** True after a deployment was cancelled: old instances are not replaced any more. */
  frozen: boolean;
  /** Definitions, newest last. */
  readonly versions: App[];
  /** Distinguishes this app from earlier ones with the same id. */
  readonly run: number;
  /** Counts changes to the record and its tasks: derived data may be cached until it changes. */
  revision: number;
  /** Time of the creation or the last change. */
  changedAt: number;
  /** Number of launched tasks; numbers the next task. */
  launches: number;
  /** For a job: instances that have succeeded. */
  succeeded: number;
  /** The running deployment that changes the app. */
  deploymentId?: string;
  readonly tasks: Map<string, Task>;
  /** Of its instances with persistent volumes that are to stay. */
  readonly reservations: Map<string, Reservation>;
  /** The last operation on reservations that Mesos refused, while instances are missing. */
  refusedOperation?: { readonly host: string; readonly message: string; readonly at: number };
  /** Number of tasks for which isCounted holds, and how many of them are draining or being killed. */
  counted: number;
  ending: number;
  /** Number of counted tasks on draining agents that are to be replaced. */
  leaving: number;
  /** Number of counted tasks of the active configuration that are to stay on their agents, and how many of them are ready. */
  current: number;
  ready: number;
  readonly perAgent: Map<string, number>;
  /** Tasks of the active configuration by field of the constraints, then by value. */
  readonly perField: Map<string, Map<string, number>>;
  lastFailure?: TaskFailure;
  /**
   * Consecutive launches that the cluster lost before the task started, and the time of the last loss. Tasks launched
   * before that time belong to the same wave and count once.
   */
  losses?: { readonly waves: number; readonly at: number };
  /** Number of instances to launch, as of the last change. */
  missing: number;
  /** While instances are missing: since when, and the recent refusals by agent. */
  waitingSince?: number;
  readonly refusals: Map<string, Refusal>;
  offerCounts?: OfferCounts;
  /** The launch delay: its length, its end, and the time of the failure that caused it. */
  delay?: { readonly ms: number; readonly until: number; readonly failedAt: number };
}

/** @returns the definition that a task was launched with; the newest one if that is no longer kept */
export function launchedApp(
  { versions, app }: Pick<AppRecord, 'versions' | 'app'>,
  { configVersion }: Task,
): App {
  return versions.findLast((one) => one.configVersion === configVersion) ?? app;
}

/** A running deployment. */
export interface DeploymentRecord {
  readonly deployment: Deployment;
  step: number;
  /** Time of the last progress. */
  progressedAt: number;
  /** Number of failed tasks of the definitions that it deploys. */
  failures: number;
}

/** @returns the number of waves of lost launches, including the launch of this task */
export function countLosses({ losses }: AppRecord, task: Task): number {
  if (!losses) return 1;
  return task.launchedAt >= losses.at ? losses.waves + 1 : losses.waves;
}

/** The offer constraints that the master knows. */
export interface ConstraintsRecord {
  /**
   * Which constraints are sent to this connection's master: nothing if it does not support them, empty constraints
   * after it has rejected some.
   */
  sending: 'nothing' | 'empty' | 'all';
  /** The constraints in force; undefined if unknown. */
  sent: OfferConstraints | undefined;
  /** The constraints to repeat in the next SUBSCRIBE. */
  forSubscribe: OfferConstraints | undefined;
}

export interface State {
  readonly settings: Settings;
  /** The release of mesosup that writes the stored events. */
  release?: string;
  frameworkId?: string;
  /** Present if the framework was taken over from another scheduler. */
  identity?: FrameworkIdentity;
  readonly apps: Map<string, AppRecord>;
  /** Who made the last change of an app, as far as a request of a named user did, since this program started. */
  readonly changedBy: Map<string, { readonly user: string; readonly version: string }>;
  readonly groups: Map<string, Group>;
  /** Number of apps and stored groups within each group, at any depth. */
  readonly members: Map<string, number>;
  readonly deployments: Map<string, DeploymentRecord>;
  /** Every task that has not ended, including tasks of removed apps. */
  readonly tasks: Map<string, Task>;
  /** Tasks of the framework that belong to no app and are never killed; they keep running since a takeover. */
  readonly leftTasks: Set<string>;
  /** Number of tasks of removed apps that have not ended, by app and run. */
  readonly orphans: Map<string, number>;
  /** Every reservation, including those of removed apps. */
  readonly reservations: Map<string, Reservation>;
  /** Ids of reservations that are to be removed, without those whose agents can't offer their resources. */
  readonly leaving: Set<string>;
  /** Number of runs of apps and of deployments so far. */
  runs: number;
  deploymentCount: number;
  /** Number of apps by service port. */
  readonly servicePorts: Map<number, number>;
  /** Number of tasks in each shared executor, by agent, then executor id. */
  readonly executors: Map<string, Map<string, number>>;
  /** Apps with fewer counted tasks than instances. */
  readonly waiting: Set<string>;
  /** Apps that may launch now, in the order in which offers are tried for them. */
  readonly ready: Set<string>;
  /** Apps with tasks to kill and deployments that may have progressed, for `settle`. */
  readonly unsettledApps: Set<string>;
  readonly unsettledDeployments: Set<string>;

  connected: boolean;
  /** `host:port` of the master, while connected to one that tells it. */
  master?: string;
  /** Counts SUBSCRIBED events. */
  connection: number;
  disconnectedBecause: string;
  /** True if offers are suppressed at the master. */
  suppressed: boolean;
  /** True if demand has grown since the last REVIVE. */
  offersWanted: boolean;
  /** True if the set of apps that may launch, or their configurations, changed since constraints were last sent. */
  demandChanged: boolean;
  readonly constraints: ConstraintsRecord;
  /** The largest amounts in any offer so far. */
  largestOffer?: Scalars;
  /** Agents whose flags were asked for, since tasks for their own containerizers waited. */
  readonly agents: Map<string, KnownAgent>;
  /** Agents whose tasks are being replaced on other agents. Not stored: who drains an agent repeats the request. */
  readonly drainingAgents: Set<string>;
  /** Tasks whose state the master has not reported since the connection began. */
  readonly unanswered: Set<string>;
  readonly timers: Timers;
}

export function createState(settings: Settings): State {
  return {
    settings,
    apps: new Map(),
    changedBy: new Map(),
    groups: new Map(),
    members: new Map(),
    deployments: new Map(),
    tasks: new Map(),
    leftTasks: new Set(),
    reservations: new Map(),
    leaving: new Set(),
    orphans: new Map(),
    runs: 0,
    deploymentCount: 0,
    servicePorts: new Map(),
    executors: new Map(),
    waiting: new Set(),
    ready: new Set(),
    unsettledApps: new Set(),
    unsettledDeployments: new Set(),
    connected: false,
    connection: 0,
    disconnectedBecause: 'it has not been reached yet',
    suppressed: true,
    offersWanted: false,
    demandChanged: false,
    constraints: { sending: 'nothing', sent: {}, forSubscribe: undefined },
    agents: new Map(),
    drainingAgents: new Set(),
    unanswered: new Set(),
    timers: [],
  };
}

/** @returns the app of a task; undefined if it has been removed */
export function ownerOf(state: State, task: Pick<Task, 'appId' | 'run'>): AppRecord | undefined {
  const record = state.apps.get(task.appId);
  return record?.run === task.run ? record : undefined;
}

/** @returns the key of a run of an app in `orphans` */
export function orphansKey({ appId, run }: Pick<Task, 'appId' | 'run'>): string {
  return `${run} ${appId}`;
}
