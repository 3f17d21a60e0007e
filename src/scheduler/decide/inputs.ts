import type { HttpResponse } from '../../health/health.ts';
import type { SchedulerCall, SchedulerEvent } from '../../mesos/types.ts';
import type { AgentFlags } from '../domain/agents.ts';
import type { App } from '../domain/app.ts';
import type { AppDefinition } from '../domain/app-schema.ts';
import type { Client, StateEvent } from '../domain/events.ts';
import type { FieldError, FieldPath } from '../domain/field-errors.ts';

/** Everything the scheduler reacts to. Requests have passed the API's validation. */
export type Input =
  | ChangeInput
  | {
      readonly type: 'kill_tasks';
      readonly filter: TaskFilter;
      readonly scale: boolean;
      readonly force?: boolean;
      /** Also removes the tasks from the state, even if they are unreachable. */
      readonly wipe?: boolean;
    }
  | { readonly type: 'cancel_deployment'; readonly deploymentId: string }
  | { readonly type: 'lift_delay'; readonly appId: string }
  /** Begins or ends the replacement of an agent's tasks on other agents. */
  | { readonly type: 'drain_agent'; readonly agentId: string; readonly drains: boolean }
  /** The program has started. */
  | { readonly type: 'started'; readonly release: string }
  | { readonly type: 'mesos'; readonly event: SchedulerEvent }
  | { readonly type: 'disconnected'; readonly reason: string }
  /** `refused`: the master's reason, if it rejected the call and would reject it again. */
  | { readonly type: 'call_failed'; readonly call: Call; readonly refused?: string }
  /** A result of a check made by the scheduler that counts; `giveUp` is the reason to kill the task. */
  | {
      readonly type: 'probed';
      readonly taskId: string;
      readonly probe: number;
      readonly healthy: boolean;
      readonly why?: string;
      readonly response?: HttpResponse;
      readonly giveUp?: string;
    }
  /** The flags of an agent; missing if they can't be read. */
  | { readonly type: 'agent_answered'; readonly agentId: string; readonly flags?: AgentFlags }
  | { readonly type: 'timer' };

/** Changes of apps and groups that one deployment makes, all or nothing. */
export interface ChangeInput {
  readonly type: 'change';
  readonly changes: readonly Change[];
  /** Refuses the change if the app has another version by now, or does not exist. */
  readonly expected?: { readonly appId: string; readonly version: string };
  /** Cancels running deployments that change the same apps. */
  readonly force: boolean;
  /** Returns the plan and changes nothing. */
  readonly dryRun?: boolean;
  /** A random number in [0, 1), for the service ports. */
  readonly seed: number;
  /** The request, for the event `api_post_event`. */
  readonly client?: Client;
}

export type Change =
  /** A new app. */
  | {
      readonly op: 'create';
      readonly app: AppDefinition;
      readonly api: 'v1' | 'v2';
      /** Fields that were sent and have no effect. */
      readonly warnings?: readonly FieldError[];
    }
  /**
   * The fields of an app as they were sent. With `partial` the other fields stay; with `upsert` the app is created if
   * it does not exist.
   */
  | {
      readonly op: 'update';
      readonly appId: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly partial: boolean;
      readonly upsert: boolean;
      /** Where the request has the fields; default: they are the body. */
      readonly path?: FieldPath;
    }
  /** Reverts an app to one of its versions. */
  | { readonly op: 'revert'; readonly appId: string; readonly version: string }
  | { readonly op: 'scale'; readonly appId: string; readonly instances: number }
  | { readonly op: 'restart'; readonly appId: string }
  | { readonly op: 'remove'; readonly appId: string }
  /** Replaces the apps and groups of a group: those missing in a list are removed; without a list they stay. */
  | { readonly op: 'put_group'; readonly group: GroupTree; readonly mustBeNew: boolean }
  | { readonly op: 'scale_group'; readonly groupId: string; readonly by: number }
  | { readonly op: 'remove_group'; readonly groupId: string }
  /** Reverts the changes of a deployment. */
  | { readonly op: 'roll_back'; readonly deploymentId: string };

/** A group as it was sent, with absolute ids. What is absent stays. */
export interface GroupTree {
  readonly id: string;
  readonly dependencies?: readonly string[];
  readonly apps?: readonly Readonly<Record<string, unknown>>[];
  readonly groups?: readonly GroupTree[];
}

/** `*` for `appId` and `host` matches all. A task matches if its app matches, and its host or its id. */
export interface TaskFilter {
  readonly appId?: string;
  readonly host?: string;
  readonly taskId?: string;
  readonly taskIds?: ReadonlySet<string>;
}

/** Without SUBSCRIBE, which the session sends. */
export type Call = Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>;

export interface TaskView {
  readonly appId: string;
  readonly id: string;
  readonly host: string;
  readonly ports: readonly number[];
}

/** The reason why a change is refused. */
export type Refusal =
  | { readonly type: 'invalid'; readonly errors: readonly FieldError[] }
  | { readonly type: 'exists'; readonly appId: string }
  | { readonly type: 'unknown_app'; readonly appId: string }
  | { readonly type: 'unknown_group'; readonly groupId: string }
  | { readonly type: 'unknown_version'; readonly appId: string; readonly version: string }
  | { readonly type: 'unknown_deployment'; readonly deploymentId: string }
  /** The app has another version than expected; `at` and `user`: when it got that one, and from whom, if known. */
  | {
      readonly type: 'outdated';
      readonly appId: string;
      readonly version: string;
      readonly at: number;
      readonly user?: string;
    }
  /** Running deployments change the same apps. */
  | { readonly type: 'locked'; readonly deploymentIds: readonly string[] };

export type Reply =
  | Refusal
  | { readonly type: 'done' }
  /**
   * A deployment was started, or with `dryRun` would be; a deployment without steps has ended already. `drafted`: with
   * `dryRun`, the definitions that would change.
   */
  | { readonly type: 'deployed'; readonly plan: DeploymentPlan; readonly drafted?: readonly App[] }
  | {
      readonly type: 'killed';
      readonly tasks: readonly TaskView[];
      /** Present with `scale`. */
      readonly plan?: DeploymentPlan;
    };

export interface DeploymentPlan {
  readonly id: string;
  readonly version: string;
  readonly steps: readonly (readonly { readonly type: string; readonly appId: string }[])[];
}

/** The consequences of an input. Calls and reply leave once the stored events are on disk. */
export interface Decision {
  readonly events: readonly StateEvent[];
  readonly calls: readonly Call[];
  readonly reply?: Reply;
  /** The daemon can't continue; the text says why and what to do. */
  readonly fatal?: string;
  /** The framework must register again: replace the session by one without a framework id. */
  readonly newSession?: true;
}

export const NOTHING: Decision = { events: [], calls: [] };
