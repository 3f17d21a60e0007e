import type { App } from './app.ts';
import type { Group } from './group.ts';

/** The change to one app in a step of a deployment. */
export interface Action {
  readonly type: 'start' | 'scale' | 'restart' | 'stop';
  readonly appId: string;
  /** For a stop: the run of the app, since a new app may have the same id. */
  readonly run?: number;
}

/** A change of apps in progress. It ends when all steps are done, or when it fails. */
export interface Deployment {
  readonly id: string;
  /** The version of the apps that it deploys. */
  readonly version: string;
  readonly startedAt: number;
  /** Steps run in order; the actions of a step run in parallel. */
  readonly steps: readonly (readonly Action[])[];
  /** All apps that it changes; another deployment may change them only with force. */
  readonly appIds: readonly string[];
  /** The previous definitions, for a rollback; absent for new apps and groups. */
  readonly before: {
    readonly apps: readonly { readonly id: string; readonly app?: App }[];
    readonly groups: readonly { readonly id: string; readonly group?: Group }[];
  };
  /** The deployment that this one rolls back. */
  readonly rollbackOf?: string;
}

/**
 * The result of a deployment. A cancelled deployment freezes its apps as they are at that moment; a superseded one
 * doesn't.
 */
export type Outcome = 'success' | 'failed' | 'cancelled' | 'superseded';
