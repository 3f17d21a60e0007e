import type { ExecutorInfo, FrameworkInfo } from '../../mesos/types.ts';

/** What the daemon was started with, as far as decisions depend on it. Durations in milliseconds. */
export interface Settings {
  readonly framework: FrameworkInfo;
  /** The one role the framework subscribes with. */
  readonly role: string;
  /** For apps with `executor: ""`. */
  readonly defaultExecutor: string;
  /** The shared Docker executor; see executor.ts for the id. */
  readonly dockerExecutor: SharedExecutor;
  /** Bounds of the service ports given to apps that ask for any, inclusive. */
  readonly localPortMin: number;
  readonly localPortMax: number;
  readonly declineOfferMs: number;
  /** Tasks launched with one offer; what is left of it comes back at once. */
  readonly maxInstancesPerOffer: number;
  readonly reconciliationInitialDelayMs: number;
  readonly reconciliationIntervalMs: number;
  readonly killRetryMs: number;
  readonly taskLaunchTimeoutMs: number;
}

export interface SharedExecutor {
  /** The path that apps name. */
  readonly path: string;
  /** All of the ExecutorInfo but its id. */
  readonly info: Omit<ExecutorInfo, 'executor_id'>;
  /** Hash and role; the slot's number is appended. */
  readonly idPrefix: string;
}

/** More tasks than this in one executor make the agent slow: each launch costs it the sum over all of them. */
export const TASKS_PER_EXECUTOR = 200;

/** Launches that come to nothing through the cluster's doing are repeated at once so often; then they are delayed too. */
export const IMMEDIATE_RELAUNCHES = 5;
/** A task that has run this long shows that its app is well. */
export const STABLE_AFTER_MS = 30_000;
