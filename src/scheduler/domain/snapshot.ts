import type { StateEvent, StoredEvent } from './events.ts';
import type { State } from './state.ts';
import type { Task } from './task.ts';

/** The stored part of a state at one moment, which can be listed while the state goes on changing. */
export interface Snapshot {
  /** Keeps what an event changes as it is now. Call it before each event that is applied until the list is complete. */
  before(state: State, event: StateEvent): void;
  /** Lists the fewest events that lead to the state at the beginning of the snapshot. */
  events(): Iterable<StoredEvent>;
}

/** @returns the fewest events that lead to the stored part of a state; it must not change meanwhile */
export function snapshotOf(state: State): Iterable<StoredEvent> {
  return beginSnapshot(state).events();
}

/**
 * Copies everything but the tasks, of which there may be a million: they are copied when they are listed, or before they
 * change. Apps come before their tasks, and before the deployments that change them.
 */
export function beginSnapshot(state: State): Snapshot {
  const first = [...withoutTasks(state)];
  const deployments = [...deploymentsOf(state)];
  const tasks = [...state.tasks.values()];
  const changed = new Map<Task, Task>();
  const keep = (task: Task | undefined): void => {
    if (task && !changed.has(task)) changed.set(task, { ...task });
  };
  return {
    before: (now, event) => {
      switch (event.type) {
        case 'task_updated':
        case 'task_draining':
        case 'task_killed':
        case 'task_given_up':
          keep(now.tasks.get(event.taskId));
          return;
        case 'app_removed':
          for (const task of now.apps.get(event.appId)?.tasks.values() ?? []) keep(task);
      }
    },
    *events() {
      yield* first;
      for (const task of tasks) {
        yield { type: 'task_restored', task: storedPart(changed.get(task) ?? task) };
        changed.delete(task);
      }
      yield* deployments;
    },
  };
}

function* withoutTasks(state: State): Generator<StoredEvent> {
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
}

function* deploymentsOf(state: State): Generator<StoredEvent> {
  for (const { deployment, step } of state.deployments.values()) {
    yield { type: 'deployment_restored', deployment, step };
  }
}

/** Leaves out what is not stored: addresses, the results of checks, drains of agents, and the scheduler's own start. */
function storedPart({
  probed: _probed,
  agentResults: _results,
  addresses: _addresses,
  leaving: _leaving,
  resumed: _resumed,
  ...stored
}: Task): Task {
  return stored;
}
