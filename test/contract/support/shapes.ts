/** Reads transcripts of a real Mesos, and computes the shape of values for comparisons. */

import { readFileSync } from 'node:fs';
import type { SchedulerEvent, TaskStatus } from '../../../src/mesos/types.ts';

function read(name: string): string {
  return readFileSync(new URL(`../../fixtures/mesos/${name}`, import.meta.url), 'utf8');
}

export function fixtureJson<T>(name: string): T {
  return JSON.parse(read(name)) as T;
}

export function fixtureLines<T>(name: string): T[] {
  return read(name)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Returns a recorded update of a real master or agent. */
export function fixtureUpdate(taskId: string, state: string, reason?: string): TaskStatus {
  for (const event of fixtureLines<SchedulerEvent>('scheduler-events.jsonl')) {
    if (event.type !== 'UPDATE') continue;
    const { status } = event.update;
    if (status.task_id.value === taskId && status.state === state && status.reason === reason) return status;
  }
  throw new Error(`no update ${state} of ${taskId} in the transcript`);
}

/**
 * Lists all paths to values, sorted: `a.b`, `a[].c`. The elements of an array share a path; an empty array or object has
 * only its own path.
 */
export function shape(value: unknown): string[] {
  const paths = new Set<string>();
  const walk = (at: string, part: unknown): void => {
    if (at !== '') paths.add(at);
    if (Array.isArray(part)) for (const element of part) walk(`${at}[]`, element);
    else if (typeof part === 'object' && part !== null) {
      for (const [key, inner] of Object.entries(part)) walk(at === '' ? key : `${at}.${key}`, inner);
    }
  };
  walk('', value);
  return [...paths].sort();
}
