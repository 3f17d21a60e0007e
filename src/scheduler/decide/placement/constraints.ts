/**
 * The constraints of an app while its tasks are placed. As with Marathon, only tasks of the active configuration
 * count: a new instance may stand beside the old one that it takes the place of, so an app with as many instances as
 * there are agents that do can still be rolled, whether the new ones come first or the old ones go first.
 */

import type { App } from '../../domain/app.ts';
import { type Constraint, fullMatcher, isValue } from '../../domain/constraint.ts';
import type { BrokenConstraint } from '../../domain/placement.ts';
import type { AppRecord } from '../../domain/state.ts';
import { type Fields, fieldIn } from './fields.ts';
import { ValueCounts } from './value-counts.ts';

export interface Rule {
  readonly constraint: Constraint;
  /** The app's tasks by the value of the field, with those about to be launched. */
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
export function addTo(rules: readonly Rule[], fields: Fields): void {
  for (const { constraint, counts } of rules) {
    const value = fieldIn(fields, constraint[0]);
    if (value !== undefined) counts.add(value);
  }
}

export function allows({ constraint, allows: allowed }: Rule, fields: Fields): boolean {
  return allowed(fieldIn(fields, constraint[0]));
}

/** The constraints for which an agent with these fields may not run another task of the app. */
export function brokenBy(rules: readonly Rule[], fields: Fields): BrokenConstraint[] {
  return rules
    .filter((rule) => !allows(rule, fields))
    .map(({ constraint }) => ({ constraint, value: fieldIn(fields, constraint[0]) }));
}

/** Whether an agent that is not allowed now may be so again once other agents have got tasks. */
export function canComeBack({ constraint: [, operator] }: Rule): boolean {
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
      // The value that is named, or that of the first task.
      if (wanted) return (value) => value === wanted;
      return (value) => value !== undefined && (counts.size === 0 || counts.of(value) > 0);
    case 'GROUP_BY': {
      const groups = Number(wanted ?? 1);
      // With a number of groups to expect, none of them gets a second task before all have one.
      return (value) => value !== undefined && counts.of(value) <= (counts.size < groups ? 0 : counts.least);
    }
  }
}
