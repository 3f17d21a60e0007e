import type { StoredEvent } from './events.ts';
import type { State } from './state.ts';

/**
 * The stored part of a state as the shortest list of events that lead to it, for a compacted journal. Apps come
 * before their tasks.
 */
export function* snapshotOf(state: State): Generator<StoredEvent> {
  if (state.frameworkId !== undefined) yield { type: 'framework_registered', frameworkId: state.frameworkId };
  yield { type: 'runs_restored', runs: state.runs };
  for (const { app, run, changedAt, launches, lastFailure } of state.apps.values()) {
    yield { type: 'app_restored', app, run, at: changedAt, launches, ...(lastFailure && { lastFailure }) };
  }
  for (const task of state.tasks.values()) yield { type: 'task_restored', task };
}
