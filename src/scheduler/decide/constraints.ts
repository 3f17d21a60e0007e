import { formatRanges } from '../../mesos/resources.ts';
import type { Attribute, Offer } from '../../mesos/types.ts';
import type { App } from '../domain/app.ts';
import type { Constraint } from '../domain/constraint.ts';
import type { AppRecord } from '../domain/state.ts';
import { isCounted } from '../domain/task.ts';

/** How many of an app's tasks have each value, one map for each of its constraints. */
export type Spread = Map<string, number>[];

/** The values of the constraints' fields on the agent that made the offer. Fields it lacks are left out. */
export function fieldsOf(app: App, offer: Offer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [field] of app.constraints) {
    const value = fieldOf(field, offer);
    if (value !== undefined) fields[field] = value;
  }
  return fields;
}

export function spreadOf(record: AppRecord): Spread {
  return (record.active?.constraints ?? []).map(([field]) => {
    const counts = new Map<string, number>();
    for (const task of record.tasks.values()) {
      const value = task.fields && fieldIn(task.fields, field);
      if (value !== undefined && isCounted(task)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  });
}

/** Fields may be named like what every object has, such as `constructor`. */
function fieldIn(fields: Readonly<Record<string, string>>, field: string): string | undefined {
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

/** Counts a task that is about to be launched. */
export function addToSpread(spread: Spread, app: App, fields: Readonly<Record<string, string>>): void {
  for (const [i, [field]] of app.constraints.entries()) {
    const value = fieldIn(fields, field);
    const counts = spread[i];
    if (value !== undefined) counts?.set(value, (counts.get(value) ?? 0) + 1);
  }
}

/** @returns why an agent with these fields may not run another task of the app, or undefined where it may */
export function constraintReason(
  app: App,
  spread: Spread,
  fields: Readonly<Record<string, string>>,
): string | undefined {
  for (const [i, constraint] of app.constraints.entries()) {
    const value = fieldIn(fields, constraint[0]);
    if (!satisfies(constraint, value, spread[i] ?? new Map())) {
      const has = value === undefined ? 'has none' : `is ${value}`;
      return `constraint ${constraint.join(' ')}: here ${constraint[0]} ${has}`;
    }
  }
  return undefined;
}

function satisfies(
  [, operator, wanted]: Constraint,
  value: string | undefined,
  counts: ReadonlyMap<string, number>,
): boolean {
  if (value === undefined) return operator === 'UNLIKE';
  switch (operator) {
    case 'UNIQUE':
      return !counts.has(value);
    case 'CLUSTER':
      if (wanted) return value === wanted;
      return counts.size === 0 || counts.has(value);
    case 'GROUP_BY': {
      // With a number of groups to expect, none of them gets a second task before all have one.
      const least = counts.size < Number(wanted ?? 1) ? 0 : Math.min(...counts.values());
      return (counts.get(value) ?? 0) <= least;
    }
    case 'MAX_PER':
      return (counts.get(value) ?? 0) < Number(wanted);
    case 'IS':
      return value === wanted;
    case 'LIKE':
      return matchesWhole(wanted, value);
    case 'UNLIKE':
      return !matchesWhole(wanted, value);
  }
}

function matchesWhole(pattern: string | undefined, value: string): boolean {
  return new RegExp(`^(?:${pattern ?? ''})$`).test(value);
}

function fieldOf(field: string, offer: Offer): string | undefined {
  if (field === 'hostname') return offer.hostname;
  const attribute = offer.attributes?.find(({ name }) => name === field);
  return attribute && textOf(attribute);
}

function textOf({ text, scalar, ranges }: Attribute): string | undefined {
  if (text) return text.value;
  if (scalar) return String(scalar.value);
  return ranges && formatRanges(ranges.range);
}
