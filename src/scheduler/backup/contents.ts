/** What events come to. */

import type { StoredEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import { snapshotOf } from '../domain/snapshot.ts';
import { createState, type State } from '../domain/state.ts';
import { optionsFrom } from '../flags/options.ts';
import { readFlags } from '../flags/parse-flags.ts';
import type { Summary } from './format.ts';

/** The shortest list of events for the same state, and what is in that. */
export function compactEvents(events: readonly StoredEvent[]): { events: StoredEvent[]; summary: Summary } {
  const state = loadState(events);
  return { events: [...snapshotOf(state)], summary: summarizeState(state) };
}

export function summarizeEvents(events: readonly StoredEvent[]): Summary {
  return summarizeState(loadState(events));
}

/** Without what ties it to one framework: the tasks are launched anew, by a framework that is yet to be registered. */
export function removeFramework(events: readonly StoredEvent[]): StoredEvent[] {
  return events.filter(({ type }) => type !== 'framework_registered' && type !== 'task_restored');
}

function loadState(events: readonly StoredEvent[]): State {
  // What is stored doesn't depend on how the scheduler is set up.
  const state = createState(optionsFrom(readFlags(['--master', 'localhost:5050'], {})).settings);
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
