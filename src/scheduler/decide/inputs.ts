import type { SchedulerCall, SchedulerEvent } from '../../mesos/types.ts';
import type { AppDefinition } from '../domain/app-schema.ts';
import type { StateEvent } from '../domain/events.ts';
import type { FieldError } from '../domain/field-errors.ts';

/** Whatever can make the scheduler do something. Requests have passed the API's validation. */
export type Input =
  | ChangeInput
  | {
      readonly type: 'kill_tasks';
      readonly filter: TaskFilter;
      readonly scale: boolean;
      readonly force?: boolean;
      /** The tasks are forgotten too, where they can't be reached. */
      readonly wipe?: boolean;
    }
  | { readonly type: 'cancel_deployment'; readonly deploymentId: string }
  | { readonly type: 'lift_delay'; readonly appId: string }
  /** The program has begun to run. */
  | { readonly type: 'started'; readonly release: string }
  | { readonly type: 'mesos'; readonly event: SchedulerEvent }
  | { readonly type: 'disconnected'; readonly reason: string }
  /** `refused`: the master's reason, where it has answered that it does not take the call, and never would. */
  | { readonly type: 'call_failed'; readonly call: Call; readonly refused?: string }
  /** What a check that is done from here found, where that is news; `giveUp` says why the task is to end. */
  | {
      readonly type: 'probed';
      readonly taskId: string;
      readonly probe: number;
      readonly healthy: boolean;
      readonly giveUp?: string;
    }
  | { readonly type: 'timer' };

/** Changes of apps and groups that one deployment makes, all or none. */
export interface ChangeInput {
  readonly type: 'change';
  readonly changes: readonly Change[];
  /** Cancels deployments under way that change the same apps. */
  readonly force: boolean;
  /** Only the reply is wanted. */
  readonly dryRun?: boolean;
  /** A random number in [0, 1), for the service ports. */
  readonly seed: number;
}

export type Change =
  /** An app that is not there yet. */
  | { readonly op: 'create'; readonly app: AppDefinition; readonly api: 'v1' | 'v2' }
  /**
   * The fields of an app as they were sent. With `partial` the others stay as they are; with `upsert` the app need
   * not be there yet.
   */
  | {
      readonly op: 'update';
      readonly appId: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly partial: boolean;
      readonly upsert: boolean;
    }
  /** Back to one of its versions. */
  | { readonly op: 'revert'; readonly appId: string; readonly version: string }
  | { readonly op: 'scale'; readonly appId: string; readonly instances: number }
  | { readonly op: 'restart'; readonly appId: string }
  | { readonly op: 'remove'; readonly appId: string }
  /** A group's apps and groups: those that a list does not name go; without a list they stay. */
  | { readonly op: 'put_group'; readonly group: GroupTree; readonly mustBeNew: boolean }
  | { readonly op: 'scale_group'; readonly groupId: string; readonly by: number }
  | { readonly op: 'remove_group'; readonly groupId: string }
  /** What a deployment has changed is changed back. */
  | { readonly op: 'roll_back'; readonly deploymentId: string };

/** A group as it was put, ids made absolute. */
export interface GroupTree {
  readonly id: string;
  readonly dependencies: readonly string[];
  readonly apps?: readonly Readonly<Record<string, unknown>>[];
  readonly groups?: readonly GroupTree[];
}

/** `*` for `appId` and `host` means any. A task matches by its app, and by its host or its id. */
export interface TaskFilter {
  readonly appId?: string;
  readonly host?: string;
  readonly taskId?: string;
  readonly taskIds?: ReadonlySet<string>;
}

/** The session subscribes by itself. */
export type Call = Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>;

export interface TaskView {
  readonly appId: string;
  readonly id: string;
  readonly host: string;
  readonly ports: readonly number[];
}

/** Why a change is not made. */
export type Refusal =
  | { readonly type: 'invalid'; readonly errors: readonly FieldError[] }
  | { readonly type: 'exists'; readonly appId: string }
  | { readonly type: 'unknown_app'; readonly appId: string }
  | { readonly type: 'unknown_group'; readonly groupId: string }
  | { readonly type: 'unknown_version'; readonly appId: string; readonly version: string }
  | { readonly type: 'unknown_deployment'; readonly deploymentId: string }
  /** Other deployments change the same apps. */
  | { readonly type: 'locked'; readonly deploymentIds: readonly string[] };

export type Reply =
  | Refusal
  | { readonly type: 'done' }
  /** A deployment was started, or would be; one of nothing has ended already. */
  | { readonly type: 'deployed'; readonly plan: DeploymentPlan }
  | {
      readonly type: 'killed';
      readonly tasks: readonly TaskView[];
      /** With `scale`. */
      readonly plan?: DeploymentPlan;
    };

export interface DeploymentPlan {
  readonly id: string;
  readonly version: string;
  readonly steps: readonly (readonly { readonly type: string; readonly appId: string }[])[];
}

/** What follows from an input. Calls and reply go out once the stored events are on disk. */
export interface Decision {
  readonly events: readonly StateEvent[];
  readonly calls: readonly Call[];
  readonly reply?: Reply;
  /** The daemon can't go on; the text says why and what to do. */
  readonly fatal?: string;
  /** The framework begins anew: the session must be replaced by one that knows no id. */
  readonly newSession?: true;
}

export const NOTHING: Decision = { events: [], calls: [] };
