import type { SchedulerCall, SchedulerEvent } from '../../mesos/types.ts';
import type { App } from '../domain/app.ts';
import type { StateEvent } from '../domain/events.ts';

/** Whatever can make the scheduler do something. Requests have passed the API's validation. */
export type Input =
  /** `seed` is a random number in [0, 1), for the service ports. */
  | { readonly type: 'start'; readonly app: App; readonly seed: number }
  | { readonly type: 'scale'; readonly appId: string; readonly instances: number }
  | { readonly type: 'stop'; readonly appId: string }
  | { readonly type: 'kill_tasks'; readonly filter: TaskFilter; readonly scale: boolean }
  | { readonly type: 'mesos'; readonly event: SchedulerEvent }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'call_failed'; readonly call: Call }
  | { readonly type: 'timer' };

/** `*` for `appId` and `host` means any. A task matches by its app, and by its host or its id. */
export interface TaskFilter {
  readonly appId?: string;
  readonly host?: string;
  readonly taskId?: string;
}

/** The session subscribes by itself. */
export type Call = Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>;

export interface FieldError {
  readonly attribute: string;
  readonly error: string;
}

export interface TaskView {
  readonly appId: string;
  readonly id: string;
  readonly host: string;
  readonly ports: readonly number[];
}

export type Reply =
  | { readonly type: 'done' }
  | { readonly type: 'invalid'; readonly errors: readonly FieldError[] }
  | { readonly type: 'unknown_app'; readonly appId: string }
  | { readonly type: 'killed'; readonly tasks: readonly TaskView[] };

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
