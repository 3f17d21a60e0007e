import type { App } from './app.ts';
import type { Group } from './group.ts';

/** What is done to one app in a step of a deployment. */
export interface Action {
  readonly type: 'start' | 'scale' | 'restart' | 'stop';
  readonly appId: string;
  /** Of a stop: which start of the app is meant, since its id may be taken again. */
  readonly run?: number;
}

/** A change of apps under way. It ends by itself: when all steps are done, or when it has failed. */
export interface Deployment {
  readonly id: string;
  /** Of the apps it makes, as they name theirs. */
  readonly version: string;
  readonly startedAt: number;
  /** Done one after the other; the actions of a step together. */
  readonly steps: readonly (readonly Action[])[];
  /** All apps it changes; none of them may be changed by another, unless that is forced. */
  readonly appIds: readonly string[];
  /** What was there before, for a rollback: apps and groups that did not exist have none. */
  readonly before: {
    readonly apps: readonly { readonly id: string; readonly app?: App }[];
    readonly groups: readonly { readonly id: string; readonly group?: Group }[];
  };
  /** The deployment that this one undoes. */
  readonly rollbackOf?: string;
}

/**
 * How a deployment ended. A cancelled one leaves its apps as they are at that moment; one that another took the place
 * of doesn't.
 */
export type Outcome = 'success' | 'failed' | 'cancelled' | 'superseded';
