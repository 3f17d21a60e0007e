import type { ExecutorInfo, FrameworkInfo } from '../../mesos/types.ts';
import type { Containerizer } from './containerizer-name.ts';
import type { SchedulerPolicy } from './scheduler-policy.ts';

/** The configuration on which decisions depend. Durations in milliseconds. */
export interface Settings {
  readonly framework: FrameworkInfo;
  /** The only role with which the framework subscribes. */
  readonly role: string;
  /** The executor of apps with `executor: ""`. */
  readonly defaultExecutor: string;
  /** The shared Docker executor; see executor.ts for the id. */
  readonly dockerExecutor: SharedExecutor;
  /** Runs the images of new apps that leave the choice to the scheduler. */
  readonly containerizer: Containerizer;
  /** The network of the Mesos containerizer that stands for `container/bridge`. */
  readonly mesosBridgeName: string;
  /** The network of apps with the network mode `container` that name none. */
  readonly defaultNetworkName?: string;
  /** Limits the CPU time of containers whose app does not set `docker.cpuQuota`. */
  readonly dockerCpuQuota?: boolean;
  /** What apps may do outside the Docker executor. Absent: everything. */
  readonly policy?: SchedulerPolicy;
  /** Range of the service ports that are assigned to apps, inclusive. */
  readonly localPortMin: number;
  readonly localPortMax: number;
  readonly declineOfferMs: number;
  /** Maximum number of tasks launched with one offer; the rest of the offer is offered again at once. */
  readonly maxInstancesPerOffer: number;
  readonly reconciliationInitialDelayMs: number;
  readonly reconciliationIntervalMs: number;
  readonly killRetryMs: number;
  readonly taskLaunchTimeoutMs: number;
}

export interface SharedExecutor {
  /** The path that apps name. */
  readonly path: string;
  /** The ExecutorInfo without its id. */
  readonly info: Omit<ExecutorInfo, 'executor_id'>;
  /** Contains hash and role; the slot number is appended. */
  readonly idPrefix: string;
}

/** Limits the tasks of one executor: at each launch the agent sums up the resources of all its tasks. */
export const TASKS_PER_EXECUTOR = 200;

/** Number of immediate relaunches after launches that failed because of the cluster; further ones are delayed. */
export const IMMEDIATE_RELAUNCHES = 5;
/** A task that has run this long resets the launch delay of its app. */
export const STABLE_AFTER_MS = 30_000;
