import type { TaskState } from '../../mesos/types.ts';
import type { App } from './app.ts';
import type { TaskFailure } from './state.ts';
import type { Task } from './task.ts';
import type { Timer } from './timers.ts';

/** Changes that must outlive the daemon. They are journaled, in order, before anything that follows from them. */
export type StoredEvent =
  | { readonly type: 'framework_registered'; readonly frameworkId: string }
  /** The master has removed the framework, and there was nothing to lose with it. */
  | { readonly type: 'framework_forgotten' }
  | { readonly type: 'app_started'; readonly app: App; readonly run: number; readonly at: number }
  | { readonly type: 'app_scaled'; readonly appId: string; readonly instances: number; readonly at: number }
  /** Its tasks are asked to end from here on. */
  | { readonly type: 'app_stopped'; readonly appId: string; readonly at: number }
  /** Stored before the ACCEPT that carries the task leaves. */
  | { readonly type: 'task_launched'; readonly task: Task }
  | {
      readonly type: 'task_updated';
      readonly taskId: string;
      readonly state: TaskState;
      readonly at: number;
      readonly reason?: string;
      readonly message?: string;
    }
  | { readonly type: 'task_killed'; readonly taskId: string; readonly at: number }
  /** The three of a snapshot: what a compacted journal begins with. */
  | { readonly type: 'runs_restored'; readonly runs: number }
  | {
      readonly type: 'app_restored';
      readonly app: App;
      readonly run: number;
      readonly at: number;
      readonly launches: number;
      readonly lastFailure?: TaskFailure;
    }
  | { readonly type: 'task_restored'; readonly task: Task };

/** Changes that are learned anew after a restart. */
type VolatileEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'offers_suppressed' }
  | { readonly type: 'offers_revived' }
  /** Offers must be asked for again: a call that did so was lost. */
  | { readonly type: 'offers_wanted' }
  /** No launches of the app until then, since its tasks keep failing. `delayMs` 0: at once, but not next time. */
  | { readonly type: 'app_delayed'; readonly appId: string; readonly delayMs: number; readonly at: number }
  | { readonly type: 'delay_passed'; readonly appId: string; readonly at: number }
  /** An agent's offer did not do for the app. */
  | {
      readonly type: 'offer_refused';
      readonly appId: string;
      readonly agentId: string;
      readonly host: string;
      readonly reason: string;
    }
  | { readonly type: 'tasks_unanswered'; readonly taskIds: readonly string[] }
  | { readonly type: 'task_answered'; readonly taskId: string }
  | { readonly type: 'timer_set'; readonly at: number; readonly timer: Timer }
  | { readonly type: 'timers_fired'; readonly until: number };

export type StateEvent = StoredEvent | VolatileEvent;

const STORED: ReadonlySet<StateEvent['type']> = new Set<StoredEvent['type']>([
  'framework_registered',
  'framework_forgotten',
  'app_started',
  'app_scaled',
  'app_stopped',
  'task_launched',
  'task_updated',
  'task_killed',
  'runs_restored',
  'app_restored',
  'task_restored',
]);

export function isStored(event: StateEvent): event is StoredEvent {
  return STORED.has(event.type);
}
