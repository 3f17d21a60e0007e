/**
 * All that the scheduler knows. `evolve` alone changes it, in place; everything else reads. Besides the stored facts
 * it holds indexes over them (counts, sets) and what is learned anew with each connection.
 */

import type { OfferConstraints, TaskState } from '../../mesos/types.ts';
import type { App } from './app.ts';
import type { Deployment } from './deployment.ts';
import type { Group } from './group.ts';
import type { OfferCounts, Refusal, Scalars } from './placement.ts';
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
  /** The definition as it was accepted last. */
  app: App;
  /** The definition that is run: another than `app` until its step of a deployment begins, then the same. */
  active?: App;
  /** No rolling on: the deployment that did so was cancelled. */
  frozen: boolean;
  /** Definitions so far, the newest last. */
  readonly versions: App[];
  /** Tells this start of the app from earlier ones of the same id. */
  readonly run: number;
  /** Counts changes to the record and its tasks: what is made of them may be kept until it grows. */
  revision: number;
  /** When it was started or changed last. */
  changedAt: number;
  /** How many tasks were launched so far; numbers the next. */
  launches: number;
  /** Of a job: instances that are done. */
  succeeded: number;
  /** The deployment that changes it. */
  deploymentId?: string;
  readonly tasks: Map<string, Task>;
  /** Tasks for which isCounted holds; how many of them were asked to end. */
  counted: number;
  ending: number;
  /** Of those counted, the tasks of the active configuration; and of these the ones that are of use by now. */
  current: number;
  ready: number;
  readonly perAgent: Map<string, number>;
  /** Those of the active configuration by the values of the fields that its constraints name, field by field. */
  readonly perField: Map<string, Map<string, number>>;
  lastFailure?: TaskFailure;
  /**
   * Launches in a row that the cluster lost before their task began, and when the last was seen. Those launched
   * before that are of one wave and count once.
   */
  losses?: { readonly waves: number; readonly at: number };
  /** Instances to be launched, as of the last change. */
  missing: number;
  /** While it lacks instances: since when, and what the offers of late lacked, by agent. */
  waitingSince?: number;
  readonly refusals: Map<string, Refusal>;
  offerCounts?: OfferCounts;
  /** The launch delay: how long the last was, when it ends, and when the failure that led to it was seen. */
  delay?: { readonly ms: number; readonly until: number; readonly failedAt: number };
}

/** A deployment under way. */
export interface DeploymentRecord {
  readonly deployment: Deployment;
  step: number;
  /** When it got any further last. */
  progressedAt: number;
  /** Tasks of what it makes that failed. */
  failures: number;
}

/** The lost launches in a row with that of this task. */
export function countLosses({ losses }: AppRecord, task: Task): number {
  if (!losses) return 1;
  return task.launchedAt >= losses.at ? losses.waves + 1 : losses.waves;
}

/** What the master knows of which offers are of use. */
export interface ConstraintsRecord {
  /**
   * Whether this connection's master is told: nothing where it can't know what it is, and that there are none once it
   * has refused any.
   */
  sending: 'nothing' | 'empty' | 'all';
  /** Undefined where it can't be known what it was told last. */
  sent: OfferConstraints | undefined;
  /** For the next SUBSCRIBE. */
  forSubscribe: OfferConstraints | undefined;
}

export interface State {
  readonly settings: Settings;
  /** The release of mesosup that writes what is stored. */
  release?: string;
  frameworkId?: string;
  readonly apps: Map<string, AppRecord>;
  readonly groups: Map<string, Group>;
  readonly deployments: Map<string, DeploymentRecord>;
  /** Every task that has not ended, also those of removed apps. */
  readonly tasks: Map<string, Task>;
  /** How many tasks of removed apps have not ended, by app and run. */
  readonly orphans: Map<string, number>;
  /** Starts of apps, and deployments, so far. */
  runs: number;
  deploymentCount: number;
  /** How many apps use a service port. */
  readonly servicePorts: Map<number, number>;
  /** Tasks in each shared executor, by agent, then executor id. */
  readonly executors: Map<string, Map<string, number>>;
  /** Apps with fewer counted tasks than instances. */
  readonly waiting: Set<string>;
  /** Those that may launch now, in the order in which offers are tried for them. */
  readonly ready: Set<string>;
  /** Apps with tasks to end, and deployments that may have got further: what `settle` is to look at. */
  readonly unsettledApps: Set<string>;
  readonly unsettledDeployments: Set<string>;

  connected: boolean;
  /** Counts SUBSCRIBED events. */
  connection: number;
  disconnectedBecause: string;
  /** Whether the master has been told that no offers are wanted. */
  suppressed: boolean;
  /** Demand has grown since offers were last asked for. */
  offersWanted: boolean;
  /** Apps may launch now, or may not any more, or are of another configuration, since the master was told. */
  demandChanged: boolean;
  readonly constraints: ConstraintsRecord;
  /** The most that any offer had so far. */
  largestOffer?: Scalars;
  /** Tasks the master has yet to answer for. */
  readonly unanswered: Set<string>;
  readonly timers: Timers;
}

export function createState(settings: Settings): State {
  return {
    settings,
    apps: new Map(),
    groups: new Map(),
    deployments: new Map(),
    tasks: new Map(),
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
    unanswered: new Set(),
    timers: [],
  };
}

/** The app the task is an instance of, unless that has been removed since. */
export function ownerOf(state: State, task: Pick<Task, 'appId' | 'run'>): AppRecord | undefined {
  const record = state.apps.get(task.appId);
  return record?.run === task.run ? record : undefined;
}

/** Names the tasks of one start of an app among the orphans. */
export function orphansKey({ appId, run }: Pick<Task, 'appId' | 'run'>): string {
  return `${run} ${appId}`;
}
