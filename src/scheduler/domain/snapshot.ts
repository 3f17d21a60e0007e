import type { StoredEvent } from './events.ts';
import type { State } from './state.ts';

/**
 * Lists the fewest events that lead to the stored part of a state, for a compacted journal. Apps come before their
 * tasks, and before the deployments that change them.
 */
export function* snapshotOf(state: State): Generator<StoredEvent> {
  // First, so that a release that can't read the rest can name the release that can.
  if (state.release !== undefined) yield { type: 'release_changed', release: state.release };
  const { frameworkId, identity } = state;
  if (frameworkId !== undefined)
    yield { type: 'framework_registered', frameworkId, ...(identity && { identity }) };
  for (const taskId of state.leftTasks) yield { type: 'task_left', taskId };
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
  for (const { taskId: _, retryAt: __, ...reservation } of state.reservations.values()) {
    yield { type: 'reservation_restored', reservation };
  }
  // Without what is not stored: addresses, the results of the scheduler's checks, drains of agents, and its own start.
  for (const task of state.tasks.values()) {
    const {
      probed: _,
      agentResults: _results,
      addresses: __,
      leaving: _leaving,
      resumed: _resumed,
      ...stored
    } = task;
    yield { type: 'task_restored', task: stored };
  }
  for (const { deployment, step } of state.deployments.values()) {
    yield { type: 'deployment_restored', deployment, step };
  }
}
