/** Compacts and summarizes the events of a state. */

import type { StoredEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import type { Settings } from '../domain/settings.ts';
import { snapshotOf } from '../domain/snapshot.ts';
import { createState, type State } from '../domain/state.ts';
import { optionsFrom } from '../flags/options.ts';
import { readFlags } from '../flags/parse-flags.ts';
import type { Summary } from './format.ts';

/** @returns the shortest list of events for the same state, and a summary of it */
export function compactEvents(events: readonly StoredEvent[]): { events: StoredEvent[]; summary: Summary } {
  const state = loadState(events);
  return { events: [...snapshotOf(state)], summary: summarizeState(state) };
}

export function summarizeEvents(events: readonly StoredEvent[]): Summary {
  return summarizeState(loadState(events));
}

const OF_FRAMEWORK: ReadonlySet<StoredEvent['type']> = new Set([
  'framework_registered',
  'task_restored',
  'task_left',
]);

/** Removes the framework id and the tasks: a newly registered framework will launch the apps again. */
export function removeFramework(events: readonly StoredEvent[]): StoredEvent[] {
  return events.filter(({ type }) => !OF_FRAMEWORK.has(type));
}

/** @returns the settings of a scheduler that is started without flags */
export function defaultSettings(): Settings {
  return optionsFrom(readFlags(['--master', 'localhost:5050'], {})).settings;
}

function loadState(events: readonly StoredEvent[]): State {
  // The settings don't influence the stored state.
  const state = createState(defaultSettings());
  for (const event of events) evolve(state, event);
  return state;
}

function summarizeState({ frameworkId, apps, groups, tasks, deployments }: State): Summary {
  return {
    ...(frameworkId !== undefined && { frameworkId }),
    apps: apps.size,
    groups: groups.size,
    tasks: tasks.size,
    deployments: deployments.size,
  };
}
