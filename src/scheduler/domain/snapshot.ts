import type { StoredEvent } from './events.ts';
import type { State } from './state.ts';

/**
 * The stored part of a state as the shortest list of events that lead to it, for a compacted journal. Apps come
 * before their tasks, and before the deployments that change them.
 */
export function* snapshotOf(state: State): Generator<StoredEvent> {
  // First, so that who can't read the rest knows who can.
  if (state.release !== undefined) yield { type: 'release_changed', release: state.release };
  if (state.frameworkId !== undefined) yield { type: 'framework_registered', frameworkId: state.frameworkId };
  yield { type: 'counters_restored', runs: state.runs, deployments: state.deploymentCount };
  for (const group of state.groups.values()) yield { type: 'group_changed', group };
  for (const record of state.apps.values()) {
    const { versions, run, changedAt, launches, succeeded, frozen, active, lastFailure } = record;
    yield {
      type: 'app_restored',
      record: {
        versions: [...versions],
        run,
        changedAt,
        launches,
        succeeded,
        frozen,
        ...(active && { active }),
        ...(lastFailure && { lastFailure }),
      },
    };
  }
  // What checks found from here is learned anew.
  for (const { probed: _, ...task } of state.tasks.values()) yield { type: 'task_restored', task };
  for (const { deployment, step } of state.deployments.values()) {
    yield { type: 'deployment_restored', deployment, step };
  }
}
