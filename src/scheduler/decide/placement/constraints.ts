/**
 * Evaluates the constraints of an app during placement. As in Marathon, only tasks of the active configuration count:
 * a new instance may run beside the old one it replaces, so an app with as many instances as suitable agents can still
 * be rolled out.
 */

import type { App } from '../../domain/app.ts';
import { type Constraint, fullMatcher, isValue } from '../../domain/constraint.ts';
import type { BrokenConstraint } from '../../domain/placement.ts';
import type { AppRecord } from '../../domain/state.ts';
import { type Fields, readField } from './fields.ts';
import { ValueCounts } from './value-counts.ts';

export interface Rule {
  readonly constraint: Constraint;
  /** Number of the app's tasks by value of the field, including tasks about to be launched. */
  readonly counts: ValueCounts;
  readonly allows: (value: string | undefined) => boolean;
}

export function rulesOf(record: Pick<AppRecord, 'perField'>, app: App): Rule[] {
  return app.constraints.map((constraint) => {
    const counts = new ValueCounts(record.perField.get(constraint[0]));
    return { constraint, counts, allows: ruleFor(constraint, counts) };
  });
}

/** Counts a task that is about to be launched. */
export function countTask(rules: readonly Rule[], fields: Fields): void {
  for (const { constraint, counts } of rules) {
    const value = readField(fields, constraint[0]);
    if (value !== undefined) counts.add(value);
  }
}

export function allows({ constraint, allows: allowed }: Rule, fields: Fields): boolean {
  return allowed(readField(fields, constraint[0]));
}

/** @returns the constraints that forbid another task of the app on an agent with these fields */
export function findBroken(rules: readonly Rule[], fields: Fields): BrokenConstraint[] {
  return rules
    .filter((rule) => !allows(rule, fields))
    .map(({ constraint }) => ({ constraint, value: readField(fields, constraint[0]) }));
}

/** True if an agent that is excluded now may be allowed again after launches on other agents. */
export function mayAllowLater({ constraint: [, operator] }: Rule): boolean {
  return operator === 'GROUP_BY';
}

function ruleFor([, operator, wanted]: Constraint, counts: ValueCounts): Rule['allows'] {
  switch (operator) {
    case 'UNLIKE': {
      const matches = fullMatcher(wanted);
      return (value) => value === undefined || !matches(value);
    }
    case 'LIKE': {
      const matches = fullMatcher(wanted);
      return (value) => value !== undefined && matches(value);
    }
    case 'IS':
      return (value) => value !== undefined && isValue(wanted, value);
    case 'UNIQUE':
      return (value) => value !== undefined && counts.of(value) === 0;
    case 'MAX_PER':
      return (value) => value !== undefined && counts.of(value) < Number(wanted);
    case 'CLUSTER':
      // The named value, or the value of the first task.
      if (wanted) return (value) => value === wanted;
      return (value) => value !== undefined && (counts.size === 0 || counts.of(value) > 0);
    case 'GROUP_BY': {
      const groups = Number(wanted ?? 1);
      // If the number of groups is known, no group gets a second task before all groups have one.
      return (value) => value !== undefined && counts.of(value) <= (counts.size < groups ? 0 : counts.least);
    }
  }
}
